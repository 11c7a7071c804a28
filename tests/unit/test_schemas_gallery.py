"""Gallery commands and entries, review items and decisions, and the active conditioning."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.conditioning import Activation, ArtefactRef, PreviousArtefact
from schemas.errors import BadInput
from schemas.event import Event
from schemas.gallery import (
    Action,
    Erase,
    GalleryCommand,
    Move,
    Quarantine,
    Restore,
    Status,
)
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
from tests.gallery_entries import CAPTURED, command, enrol, entry, unit

RECOGNITION: dict[str, Any] = {
    "event_id": "x#0",
    "source": "cam-1",
    "captured_at": CAPTURED,
    "background": {"season": "winter", "hour": 3.5, "wet": False},
    "distance": 0.25,
    "threshold": 0.3,
    "margin": 0.1,
    "candidates": (CandidateIdentity(identity="oak", distance=0.25, votes=1, entry_id="e1"),),
    "cluster": None,
    "shards": (ShardSearched(cluster="all", entries=7),),
    "model": "m@1",
    "gallery_position": 12,
    "timings_ms": {"decode": 1.5},
}


def item(**changes: Any) -> ReviewItem:
    reason = ReviewReason.BEYOND_THRESHOLD
    values = {**RECOGNITION, "reason": reason, "vector": unit([3, 4])}
    return ReviewItem.model_validate({**values, **changes})


def same(one: Event, other: Event) -> bool:
    return type(one) is type(other) and one.model_dump_json() == other.model_dump_json()


def conditioning(**changes: Any) -> Activation:
    values = {"name": "default", "activated_at": CAPTURED, "actor": "ann"}
    return Activation.model_validate({**values, **changes})


EVENTS: list[Event] = [
    entry("e1", "oak", [1, 0]),
    entry("e1", "oak", [1, 0], status=Status.QUARANTINED, background={"wet": True, "n": 1}),
    enrol("e1", "oak", [1, 0], background={"season": "winter"}),
    command("oak", Quarantine(entry_ids=("e1", "e2"))),
    command("oak", Restore()),
    command("oak", Move(action="rename", to="elm")),
    command("oak", Move(action="split", to="elm", entry_ids=("e1",))),
    command("oak", Erase()),
    Identification.model_validate({**RECOGNITION, "identity": "oak", "revision": 2}),
    item(),
    ReviewDecision(item=item(), identity="oak", actor="ann"),
    ReviewDecision(item=item(), identity=None, actor="ann", comment="too dark"),
    conditioning(version="3", uri="s3://c", model="m@1"),
    conditioning(
        version=None,
        uri=None,
        model=None,
        previous=PreviousArtefact(version="3", uri="s3://c", model="m@1"),
    ),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_round_trip(event: Event) -> None:
    record = event.record("topic")
    assert same(type(event).read(record), event)
    assert record.header("ce_type") == event.type
    assert event.type.startswith("perennial.")
    assert event.type.endswith(".v1")


MEASURED = Quality(sharpness=0.25, size=64, dark=0, bright=0.05, overall=1)


@pytest.mark.parametrize(
    "event",
    [
        entry("e1", "oak", [1, 0], quality=MEASURED),
        enrol("e1", "oak", [1, 0], quality=MEASURED),
        Identification.model_validate({**RECOGNITION, "identity": "oak", "quality": MEASURED}),
        item(quality=MEASURED),
        ReviewDecision(item=item(quality=MEASURED), identity="oak", actor="ann"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_quality_travels_and_may_be_missing(event: Event) -> None:
    """What an earlier version wrote has no such field."""
    record = event.record("topic")
    assert same(type(event).read(record), event)
    told = f'"quality":{MEASURED.model_dump_json()},'.encode()
    assert record.value is not None
    older = record.value.replace(told, b"").replace(b"," + told[:-1], b"")
    assert b"quality" not in older
    read = type(event).read(replace(record, value=older))
    assert read.model_dump_json().encode() == record.value.replace(told[10:-1], b"null")


@pytest.mark.parametrize(
    "change",
    [{"sharpness": -1}, {"size": 1.5}, {"dark": 1.1}, {"overall": float("nan")}, {"colour": 1}],
)
def test_a_quality_that_cannot_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Quality.model_validate({**MEASURED.model_dump(), **change})


def test_types_are_told_apart() -> None:
    types = {type(event).type for event in EVENTS}
    assert len(types) == len({type(event) for event in EVENTS})


@pytest.mark.parametrize(
    ("event", "event_id", "key"),
    [
        (entry("e1", "oak", [1, 0]), "e1", b"entry:e1"),
        (command("été", Restore(), "c-9"), "c-9", "été".encode()),
        (item(), "x#0", b"x#0"),
        (ReviewDecision(item=item(), identity=None, actor="ann"), "x#0", b"x#0"),
        (EVENTS[-1], "default", b"default"),
    ],
)
def test_ids_and_keys_follow_the_topic_table(event: Event, event_id: str, key: bytes) -> None:
    assert (event.id, event.key) == (event_id, key)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ({"action": "quarantine"}, Quarantine),
        ({"action": "restore", "entry_ids": ["e1"]}, Restore),
        ({"action": "merge", "to": " elm "}, Move),
        ({"action": "erase"}, Erase),
    ],
)
def test_the_action_tells_its_kind(action: dict[str, Any], kind: type[Action]) -> None:
    assert isinstance(read_command(action).action, kind)


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"action": "delete"},
        {"action": "rename"},
        {"action": "rename", "to": " "},
        {"action": "erase", "entry_ids": [""]},
        {"action": "erase", "everything": True},
        {"action": "enrol", "entry_id": "e1"},
    ],
)
def test_a_wrong_action_is_bad_input(action: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="action") as caught:
        read_command(action)
    assert caught.value.reason == "bad_event"


@pytest.mark.parametrize("field", ["actor", "reason", "identity", "command_id"])
def test_a_command_says_who_and_why(field: str) -> None:
    fields = json.loads(command("oak", Restore()).model_dump_json())
    with pytest.raises(BadInput, match=field):
        GalleryCommand.read(Record("t", None, json.dumps({**fields, field: ""}).encode()))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_an_enrolment_carries_finite_numbers_only(value: str) -> None:
    sent = enrol("e1", "oak", [1, 0], background={"hour": 77}).model_dump_json()
    with pytest.raises(BadInput) as caught:
        GalleryCommand.read(Record("t", None, sent.replace("77", value).encode()))
    assert caught.value.reason == "bad_event"


def test_an_entry_is_active_and_dated_unless_it_says_otherwise() -> None:
    fresh = entry("e1", "oak", [1, 0])
    assert fresh.status is Status.ACTIVE
    assert abs((fresh.changed_at - datetime.now(UTC)).total_seconds()) < 60


def test_a_matcher_decides_unless_it_says_otherwise() -> None:
    event = Identification.model_validate({**RECOGNITION, "identity": "oak"})
    assert (event.decided_by, event.revision) == (DecidedBy.MATCHER, 1)
    assert (event.probability, event.conditioning, event.region) == (None, None, None)


@pytest.mark.parametrize(
    "change",
    [{"revision": 0}, {"reason": "tired"}, {"distance": float("nan")}, {"vector": None}],
)
def test_a_wrong_review_item_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(change))):
        item(**change)


def test_a_decision_needs_an_answer_even_if_it_is_none() -> None:
    with pytest.raises(ValidationError, match="identity"):
        ReviewDecision.model_validate({"item": item(), "actor": "ann"})
    with pytest.raises(ValidationError, match="actor"):
        ReviewDecision(item=item(), identity="oak", actor="")


def read_command(action: dict[str, Any]) -> GalleryCommand:
    fields = json.loads(command("oak", Restore()).model_dump_json())
    return GalleryCommand.read(Record("t", None, json.dumps({**fields, "action": action}).encode()))


def test_an_active_conditioning_names_its_artefact_or_none() -> None:
    whole = {"version": "3", "uri": "s3://c", "model": "m@1"}
    assert conditioning(**whole).artefact == ArtefactRef(name="default", **whole)
    assert conditioning(**dict.fromkeys(whole)).artefact is None


@pytest.mark.parametrize("name", ["version", "uri", "model"])
def test_half_an_artefact_is_none(name: str) -> None:
    whole = {"version": "3", "uri": "s3://c", "model": "m@1"}
    for broken in ({**whole, name: None}, {**dict.fromkeys(whole), name: "x"}):
        with pytest.raises(ValidationError, match="all of them or none"):
            conditioning(**broken)
