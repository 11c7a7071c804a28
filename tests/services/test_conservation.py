"""The whole way of a frame, with worker and streams as processes: what goes in comes out."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from client.reviews import answer_by_labels
from schemas.codec import frame_headers
from schemas.event import bare_id, now
from schemas.gallery import ENTRY_KEY
from schemas.records import Headers, Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, FRAMES, GALLERY, HUMAN_REVIEW, IDENTIFICATIONS
from tests.services.hostile import REASONS, as_large_as_the_topic_takes, photograph
from tests.services.kafka import collecting, eventually, fold_of, put
from tests.services.processes import process

OUTCOMES = (IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS)
DECLARATION = """
variables:
  season: {type: nominal, values: [summer, winter]}
  temperature: {type: continuous}
"""


def frame(settings: Settings, event_id: str, image: bytes, extra: Headers = ()) -> Record:
    """Return a frame record; headers in ``extra`` replace the usual ones."""
    usual = frame_headers(event_id, "cam-1", now(), {"season": "summer"}, "image/jpeg")
    replaced = {name for name, _ in extra}
    headers = tuple(h for h in usual if h[0] not in replaced) + extra
    return Record(settings.topic(FRAMES), b"cam-1", image, headers)


def ids_on(found: Sequence[Record], topic: str) -> list[str]:
    """Return the ids as they were published."""
    return [bare_id(str(r.header("ce_id"))) for r in found if r.topic == topic]


def outcomes(settings: Settings, found: Sequence[Record]) -> set[str]:
    return {i for topic in OUTCOMES for i in ids_on(found, settings.topic(topic))}


async def test_a_worker_killed_in_mid_batch_loses_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    images = [photograph(i) for i in range(20)]
    frames = [frame(settings, f"f-{i:04}", images[i % 20]) for i in range(600)]
    with process(settings, tmp_path / "streams.log", "streams"):
        async with collecting(settings, *OUTCOMES) as found:
            with process(settings, log, "worker") as first:
                await put(settings, frames)
                await eventually(
                    lambda: len(outcomes(settings, found)) > 40, "it is at work", within_s=120
                )
                first.kill()
            assert len(outcomes(settings, found)) < 600, "it was killed while there was work"
            with process(settings, log, "worker") as second:
                await eventually(
                    lambda: len(outcomes(settings, found)) == 600, "nothing is lost", within_s=120
                )
                assert second.alive


async def test_a_hundred_hostile_frames_among_a_thousand(
    settings: Settings, tmp_path: Path
) -> None:
    declaration = tmp_path / "variables.yaml"
    declaration.write_text(DECLARATION)
    own = settings.model_copy(update={"variables": declaration})
    images = [photograph(i) for i in range(20)]
    # Two frames of 24 MB; the other kinds share the rest of the hundred.
    small = [kind for kind in REASONS if kind is not as_large_as_the_topic_takes]
    kinds = [as_large_as_the_topic_takes] * 2 + [small[i % len(small)] for i in range(98)]
    expected, records = {}, []
    for i in range(1000):
        event_id = f"f-{i:04}"
        if i % 10 == 3:
            kind = kinds.pop()
            expected[event_id] = REASONS[kind]
            records.append(frame(own, event_id, *kind(images[i % 20])))
        else:
            records.append(frame(own, event_id, images[i % 20]))
    with (
        process(own, tmp_path / "worker.log", "worker") as worker,
        process(own, tmp_path / "streams.log", "streams") as streams,
    ):
        async with collecting(own, *OUTCOMES) as found:
            await put(own, records)
            await eventually(lambda: len(outcomes(own, found)) == 1000, "lost = 0", within_s=180)
            assert worker.alive
            assert streams.alive
    dead = [r for r in found if r.topic == own.topic(DEAD_LETTERS)]
    assert {str(r.header("ce_id")): r.header("dead_reason") for r in dead} == expected
    assert Counter(expected.values()) >= Counter(set(REASONS.values()))
    originals = {str(r.header("ce_id")): r.value for r in records}
    for letter in dead:
        original = originals[str(letter.header("ce_id"))]
        assert original is not None
        assert letter.header("dead_error")
        assert letter.value == original, "the original bytes are kept"


async def test_the_same_frames_twice_change_the_gallery_once(
    settings: Settings, tmp_path: Path
) -> None:
    images = [photograph(i % 25) for i in range(200)]
    frames = [frame(settings, f"f-{i:04}", image) for i, image in enumerate(images)]
    labels = {f"cam-1/f-{i:04}": f"place-{i % 25}" for i in range(200)}
    stop = asyncio.Event()
    with (
        process(settings, tmp_path / "worker.log", "worker"),
        process(settings, tmp_path / "streams.log", "streams"),
    ):
        async with collecting(settings, *OUTCOMES, GALLERY) as found:
            oracle = asyncio.create_task(answer_by_labels(settings, labels, stop))
            for _ in range(2):
                already = len(found)
                await put(settings, frames)
                await eventually(
                    lambda: len(_matched(settings, found[already:])) == 200,  # noqa: B023
                    "each frame has its outcome",
                    within_s=120,
                )
            asked = (r for r in found if r.topic == settings.topic(HUMAN_REVIEW))
            reviewed = {str(record.header("ce_id")) for record in asked}
            await eventually(
                lambda: set(_entries(settings, found)) == reviewed,
                "each reviewed frame is enrolled",
            )
            stop.set()
            await oracle
    entries = _entries(settings, found)
    assert len(set(entries)) == len(entries), "no entry was written twice"
    identities = {i: e.identity for i, e in fold_of(settings, found).entries.items()}
    assert identities == {i: labels[i] for i in entries}


def _entries(settings: Settings, found: Sequence[Record]) -> list[str]:
    """Return the ids of the entries, as often as each was written."""
    on_gallery = (r.key or b"" for r in found if r.topic == settings.topic(GALLERY))
    return [key[len(ENTRY_KEY) :].decode() for key in on_gallery if key.startswith(ENTRY_KEY)]


def _matched(settings: Settings, found: Sequence[Record]) -> set[str]:
    """Return the ids with an outcome of the matcher's own (not a person's revision)."""
    return outcomes(
        settings,
        [
            record
            for record in found
            if record.topic != settings.topic(IDENTIFICATIONS)
            or b'"decided_by":"matcher"' in (record.value or b"")
        ],
    )
