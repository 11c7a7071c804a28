"""A person's answer: the identification it becomes, and what it teaches the gallery."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.errors import BadInput
from schemas.event import EventId
from schemas.gallery import Enrol, GalleryCommand
from schemas.quality import Quality
from schemas.recognition_event import (
    CandidateIdentity,
    DecidedBy,
    Identification,
    ReviewDecision,
    ReviewItem,
    ReviewReason,
    ShardSearched,
)
from schemas.records import Record
from schemas.settings import load_settings
from streams.review import ReviewAgent
from tests.gallery_entries import CAPTURED, MODEL, unit

AGENT = ReviewAgent(load_settings())


def item(**changes: Any) -> ReviewItem:
    values: dict[str, Any] = {
        "event_id": "x#1",
        "source": "cam-1",
        "captured_at": CAPTURED,
        "background": {"season": "winter"},
        "region": {"x": 1, "y": 2, "width": 3, "height": 4},
        "quality": Quality(sharpness=0.1, size=40, dark=0, bright=0, overall=0.63),
        "distance": 0.4,
        "threshold": 0.3,
        "margin": 0.2,
        "candidates": (
            CandidateIdentity(identity="elm", distance=0.4, votes=0, entry_id="e1"),
            CandidateIdentity(identity="oak", distance=0.6, votes=0, entry_id="o1"),
        ),
        "cluster": "season=winter",
        "shards": (ShardSearched(cluster="season=winter", entries=7),),
        "model": MODEL,
        "gallery_position": 12,
        "timings_ms": {"total": 9.5},
        "reason": ReviewReason.BEYOND_THRESHOLD,
        "vector": unit([3, 4]),
    }
    return ReviewItem.model_validate({**values, **changes})


def decision(identity: str | None, **changes: Any) -> Record:
    made = ReviewDecision(item=item(**changes), identity=identity, actor="ann")
    return made.record("review-decisions")


async def outputs(*records: Record) -> tuple[list[Identification], list[GalleryCommand]]:
    made = await AGENT.handle(records)
    identified = [r for r in made if r.topic == "identifications"]
    commands = [r for r in made if r.topic == "gallery-commands"]
    assert len(identified) + len(commands) == len(made)
    return [Identification.read(r) for r in identified], [GalleryCommand.read(r) for r in commands]


async def test_an_answer_revises_the_identification_with_all_its_provenance() -> None:
    (identified,), _ = await outputs(decision("elm"))
    assert (identified.event_id, identified.identity) == ("x#1", "elm")
    assert (identified.decided_by, identified.revision) == (DecidedBy.PERSON, 2)
    shown = item()
    for name in (
        "source", "captured_at", "background", "region", "quality", "threshold", "candidates",
        "cluster", "shards", "model", "gallery_position", "timings_ms",
    ):  # fmt: skip
        assert getattr(identified, name) == getattr(shown, name), name
    assert identified.distance == 0.4
    assert identified.margin == pytest.approx(0.2)


@pytest.mark.parametrize(("identity", "distance"), [("elm", 0.4), ("oak", 0.6), ("ash", None)])
async def test_the_distance_is_that_of_the_identity_named(
    identity: str, distance: float | None
) -> None:
    (identified,), _ = await outputs(decision(identity))
    assert identified.distance == distance


async def test_the_margin_is_that_of_the_identity_named() -> None:
    """The runner-up's distance minus its own; that of another identity would be a wrong claim."""
    (oak, ash), _ = await outputs(decision("oak"), decision("ash"))
    assert oak.margin in (None, pytest.approx(0.4 - 0.6))
    assert ash.margin is None


async def test_an_answer_teaches_the_gallery() -> None:
    _, (command,) = await outputs(decision("elm"))
    assert (command.identity, command.actor) == ("elm", "ann")
    assert "beyond_threshold" in command.reason
    assert isinstance(command.action, Enrol)
    assert command.action.entry_id == "x#1"
    assert command.action.quality == item().quality
    assert command.action.vector.tolist() == pytest.approx([0.6, 0.8])
    assert (command.action.model, command.action.source) == (MODEL, "cam-1")
    assert command.action.background == {"season": "winter"}
    assert command.action.captured_at == CAPTURED


async def test_a_repeat_of_an_answer_is_as_old_as_the_answer() -> None:
    answer = decision("elm")
    _, commands = await outputs(answer, answer)
    decided_at = ReviewDecision.read(answer).decided_at
    assert [command.decided_at for command in commands] == [decided_at, decided_at]


async def test_a_correction_of_a_correction_counts_on() -> None:
    (identified,), _ = await outputs(decision("elm", revision=2))
    assert identified.revision == 3


async def test_who_can_not_tell_teaches_nothing() -> None:
    assert await AGENT.handle([decision(None)]) == []


async def test_answers_keep_their_order() -> None:
    records = [decision(f"oak-{i}", event_id=f"x{i}") for i in range(5)]
    identified, commands = await outputs(*records[:2], decision(None), *records[2:])
    assert [event.event_id for event in identified] == [f"x{i}" for i in range(5)]
    assert [command.identity for command in commands] == [f"oak-{i}" for i in range(5)]


async def test_the_same_answer_again_has_the_same_ids() -> None:
    first, again = await outputs(decision("elm")), await outputs(decision("elm"))
    assert [e.id for e in (*first[0], *first[1])] == [e.id for e in (*again[0], *again[1])]


async def test_records_are_keyed_so_that_order_holds_where_it_counts() -> None:
    identification, command = await AGENT.handle([decision("elm")])
    assert (identification.key, command.key) == (b"x#1", b"elm")


@pytest.mark.parametrize("value", [None, b"", b"{}", b'{"item": 1}'])
async def test_what_is_no_decision_is_bad_input(value: bytes | None) -> None:
    with pytest.raises(BadInput, match="ReviewDecision"):
        await AGENT.handle([decision("elm"), Record("review-decisions", None, value)])


async def test_the_longest_id_can_be_answered() -> None:
    longest = "x" * 300
    TypeAdapter(EventId).validate_python(longest)
    (identified,), (command,) = await outputs(decision("elm", event_id=longest))
    assert identified.event_id == longest
    assert isinstance(command.action, Enrol)
    assert command.action.entry_id == longest
