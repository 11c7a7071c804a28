"""What is read of the topics before anything is replayed."""

import asyncio
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from client import recent
from client.gallery import Gallery
from client.recent import PersonAnswer, people_of, probes_of, read_material, truth
from lab.whatif.answers import Source, counted, given
from schemas.errors import DependencyDown
from schemas.event import Event
from schemas.gallery import under_term
from schemas.recognition_event import DecidedBy, ReviewDecision
from schemas.records import Record
from schemas.settings import load_settings
from tests.services.kafka import embedding
from tests.unit.infra_events import AT, entry, identification, review_item
from tests.unit.replayed import said

DECISIONS = "review-decisions"


def record(event: Event, topic: str = "t", offset: int = 0) -> Record:
    made = event.record(topic)
    return Record(topic, made.key, made.value, made.headers, 0, offset)


def decision(event_id: str, identity: str | None, position: int = 11) -> Record:
    item = review_item(event_id, gallery_position=position)
    return record(ReviewDecision(item=item, identity=identity, actor="ann"), DECISIONS)


def test_a_probe_sent_twice_counts_once_and_what_is_none_is_counted() -> None:
    sent = [
        embedding("a", [1, 0]).record("e"),
        Record("e", b"k", b"no vector"),
        embedding("b", [0, 1]).record("e"),
        embedding("a", [0, 1]).record("e"),
    ]
    probes = probes_of(sent)
    assert [probe.event_id for probe in probes.embeddings] == ["b", "a"]
    assert probes.embeddings[1].vector.tolist() == [0, 1]
    assert probes.unusable == 1


def test_the_gallery_knows_since_when_it_has_each_identity() -> None:
    gallery = Gallery()
    for offset, change in enumerate(
        [entry("e1"), entry("e2", "Ida"), entry("e1", "Ida"), entry("e3", "Bella")]
    ):
        gallery.take(under_term(record(change, offset=offset), 1))
    gallery.take(under_term(Record("g", b"entry:e2", None, offset=4), 1))
    assert {i: e.identity for i, e in gallery.entries.items()} == {"e1": "Ida", "e3": "Bella"}
    assert gallery.since == {"Bella": 0, "Ida": 1}


def test_the_last_word_of_people_counts() -> None:
    person: dict[str, Any] = {"decided_by": DecidedBy.PERSON, "revision": 2}
    people = people_of(
        [record(review_item("open")), Record("t", b"erased", None)],
        [
            decision("a", "Bella"),
            record(identification("a", identity="Bella", **person)),
            decision("a", "Ida", position=3),
            decision("b", "Bella"),
            decision("b", None),
            record(identification("by-matcher")),
            record(identification("c", identity="Eve", **person)),
            Record(DECISIONS, b"x", b"not JSON"),
            Record("t", b"x", b"not JSON"),
        ],
        DECISIONS,
    )
    assert people.named == {"a": PersonAnswer("Ida", 3), "c": PersonAnswer("Eve", 11)}
    assert people.asked == {"open", "a", "b"}


def test_strangers_are_those_whom_the_gallery_did_not_hold_when_they_came() -> None:
    people = said(new="Eve", early="Ida", late="Bella", other="Zoe")
    since = {"Ida": 6, "Bella": 5}  # asked at 5: Ida came after that, Bella just before
    probes = ["new", "early", "late", *(f"p{i}" for i in range(9))]
    found = counted(probes, people, since)
    assert found.share == pytest.approx(2 / 12)
    assert found.identities == 2
    assert (found.source, found.asked, found.answered) == (Source.ANSWERED, 3, 3)


def test_open_items_hold_as_many_strangers_as_answered_ones() -> None:
    people = said(new="Eve", known="Bella")
    more = people.__class__(people.asked | {"p0", "p1", "elsewhere"}, people.named)
    found = counted(["new", "known", *(f"p{i}" for i in range(6))], more, {"Bella": 0})
    assert (found.asked, found.answered) == (4, 2)
    assert found.share == pytest.approx(2 / 8)
    assert found.identities == 2


def test_without_answers_every_probe_could_be_a_stranger() -> None:
    people = said(elsewhere="Eve")
    assert counted(["a", "b"], people, {}).model_dump() == {
        "share": 1,
        "identities": 2,
        "source": "assumed",
        "asked": 0,
        "answered": 0,
    }
    assert counted([], people, {}).identities == 1
    assert (given(0.2, 10).identities, given(0.0, 10).identities) == (2, 1)


def test_an_enrolled_answer_tells_the_present_name() -> None:
    people = said(a="Bela", b="Ida", elsewhere="Eve")
    held = {"a": entry("a", "Bella", captured_at=AT + timedelta(days=1), vector=np.ones(2))}
    assert truth(["a", "b", "c"], people, held) == {"a": "Bella", "b": "Ida"}


async def test_nothing_reads_on_where_one_topic_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def forever(*_: object) -> None:
        await asyncio.sleep(3600)

    async def down(*_: object) -> None:
        await asyncio.sleep(0)
        raise DependencyDown("kafka", "gone")

    monkeypatch.setattr(recent, "read_gallery", down)
    monkeypatch.setattr(recent, "recent_probes", forever)
    monkeypatch.setattr(recent, "recent_people", forever)
    with pytest.raises(DependencyDown, match="gone"):
        await read_material(load_settings(), 5)
    assert asyncio.all_tasks() == {asyncio.current_task()}
