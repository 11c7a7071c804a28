"""Two cameras that use the same id, through worker, streams and a person's answers."""

import asyncio
from functools import partial
from pathlib import Path

from client.names import Outgoing
from client.publish import publish
from client.reviews import open_items
from schemas.event import event_name, now
from schemas.recognition_event import DecidedBy, Identification, ReviewDecision, ReviewItem
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, FRAMES, GALLERY, IDENTIFICATIONS, REVIEW_DECISIONS, Topic
from tests.services.hostile import photograph
from tests.services.kafka import collecting, eventually, put
from tests.services.processes import process

CAMERAS = (
    ("north", "IMG_0001.jpg"),
    ("south", "IMG_0001.jpg"),
    ("gate {#1}/ä:*", "50%/a#0.jpg"),  # what Kafka, Redis and URLs give a meaning to
)
NAMES = {event_name(*camera) for camera in CAMERAS}


async def test_the_same_id_from_two_cameras_is_two_questions_answers_and_entries(
    settings: Settings, tmp_path: Path
) -> None:
    images = [partial(photograph, number) for number in range(len(CAMERAS))]
    frames = [
        Outgoing(own_id, source, now(), {}, None, "image/jpeg", image)
        for (source, own_id), image in zip(CAMERAS, images, strict=True)
    ]
    with (
        process(settings, tmp_path / "worker.log", "worker"),
        process(settings, tmp_path / "streams.log", "streams"),
    ):
        async with collecting(settings, IDENTIFICATIONS, GALLERY) as found:
            await publish(settings, frames)
            questions = await asked(settings, len(CAMERAS))
            assert {item.event_id for item in questions} == NAMES
            decisions = [
                ReviewDecision(item=item, identity=item.source, actor="ann") for item in questions
            ]
            topic = settings.topic(REVIEW_DECISIONS)
            await put(settings, [decision.record(topic) for decision in decisions])
            await eventually(
                lambda: named(settings, found, IDENTIFICATIONS) == NAMES, "each has its answer"
            )
            await eventually(lambda: named(settings, found, GALLERY) >= NAMES, "and its entry")
    told = [r for r in found if r.topic == settings.topic(IDENTIFICATIONS)]
    for event in map(Identification.read, told):
        assert (event.identity, event.decided_by) == (event.source, DecidedBy.PERSON)


async def test_two_ids_that_utf_8_can_not_carry_are_two_dead_letters(
    settings: Settings, tmp_path: Path
) -> None:
    sent = [
        Record(settings.topic(FRAMES), b"north", photograph(0), (("ce_id", own_id),))
        for own_id in (b"caf\xe9.jpg", b"caf\xe8.jpg")
    ]
    with process(settings, tmp_path / "worker.log", "worker"):
        async with collecting(settings, DEAD_LETTERS) as dead:
            await put(settings, sent)
            await eventually(lambda: len(dead) == len(sent), "each is dead", within_s=120)
    assert [letter.header("dead_reason") for letter in dead] == ["bad_id"] * 2
    assert len({letter.header("dead_event") for letter in dead}) == 2
    assert {letter.header_bytes("ce_id") for letter in dead} == {r.headers[0][1] for r in sent}


async def asked(settings: Settings, count: int) -> list[ReviewItem]:
    """Return the open questions as soon as there are so many."""
    async with asyncio.timeout(120):
        while len(items := await open_items(settings)) < count:
            await asyncio.sleep(0.1)
    return items


def named(settings: Settings, found: list[Record], topic: Topic) -> set[str]:
    """Return the event names on a topic."""
    return {str(r.header("ce_id")) for r in found if r.topic == settings.topic(topic)}
