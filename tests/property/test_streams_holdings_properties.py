"""The holdings after any changes, against a recomputation from what is left."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.cluster import EVERYWHERE
from recognition.retain import RetentionRule
from recognition.tail import open_set_threshold
from schemas.gallery import Change, Erased, GalleryEntry, Status
from tests.gallery_entries import CAPTURED, entry, plain_holdings

MODELS = {"one@1": 2, "two@2": 3}
TARGET = 0.3
RULE = RetentionRule(max_age=timedelta(days=6), newest=2, mad_cutoff=None)
NOW = CAPTURED + timedelta(days=8)


@st.composite
def entries(draw: st.DrawFn) -> GalleryEntry:
    model = draw(st.sampled_from([*MODELS]))
    size = MODELS[model]
    whole = st.lists(st.integers(-3, 3), min_size=size, max_size=size).filter(any)
    return entry(
        f"e{draw(st.integers(0, 7))}",
        draw(st.sampled_from(["oak", "elm", "ash"])),
        draw(whole),
        model=model,
        background={"season": draw(st.sampled_from(["summer", "winter"]))},
        status=draw(st.sampled_from([*Status, Status.ACTIVE])),
        captured_at=CAPTURED + timedelta(days=draw(st.integers(0, 7))),
    )


changes = st.lists(entries() | st.builds(Erased, st.integers(0, 7).map("e{}".format)), max_size=30)


def left(applied: Sequence[Change]) -> dict[str, GalleryEntry]:
    """Return what the topic holds in the end, by id."""
    last = {change.entry_id: change for change in applied}
    return {i: change for i, change in last.items() if isinstance(change, GalleryEntry)}


def threshold(shard: Sequence[GalleryEntry]) -> float | None:
    """Return the threshold by brute force: each entry against each of another identity."""
    nearest = [
        min(1 - float(np.dot(a.vector, b.vector)) for b in shard if b.identity != a.identity)
        for a in shard
        if any(b.identity != a.identity for b in shard)
    ]
    met = [a.identity for a in shard if any(b.identity != a.identity for b in shard)]
    found = open_set_threshold(nearest, met, TARGET)
    return None if found is None or found < 0 else found


def cluster_of(e: GalleryEntry) -> str:
    return f"season={e.background['season']}"


def group_of(e: GalleryEntry) -> tuple[str, str, str]:
    return e.model, cluster_of(e), e.identity


def oldest(kept: dict[str, GalleryEntry]) -> set[str]:
    """Return what RULE removes, by the words of the design."""
    active = sorted((e for e in kept.values() if e.status is Status.ACTIVE), key=group_of)
    removed = set()
    for _, members in groupby(active, key=group_of):
        by_age = sorted(members, key=lambda e: (e.captured_at, e.entry_id))
        young = [e for e in by_age if NOW - e.captured_at <= timedelta(days=6)]
        removed |= {e.entry_id for e in by_age} - {e.entry_id for e in young[-2:]}
    return removed


@given(changes)
def test_holdings_equal_what_is_left_of_the_topic(applied: list[Change]) -> None:
    holdings = plain_holdings(TARGET, "season")
    for position, change in enumerate(applied):
        holdings.apply(change, position)
    kept = left(applied)
    assert holdings.position == len(applied) - 1
    assert {e.entry_id: e for e in holdings} == kept
    assert len(holdings) == len(kept)
    for identity in ("oak", "elm", "ash"):
        own = sorted(i for i, e in kept.items() if e.identity == identity)
        assert [e.entry_id for e in holdings.of_identity(identity)] == own
    active = [e for e in kept.values() if e.status is Status.ACTIVE]
    assert sorted(holdings.placed.groups()) == sorted({group_of(e) for e in active})
    assert set(holdings.to_retire(holdings.placed.groups(), RULE, NOW)) == oldest(kept)

    shards: dict[tuple[str, str], list[GalleryEntry]] = {}
    for e in active:
        for cluster in (cluster_of(e), EVERYWHERE):
            shards.setdefault((e.model, cluster), []).append(e)
    stated = {
        (model, cluster): shard
        for model, clusters in holdings.state("one").models.items()
        for cluster, shard in clusters.items()
    }
    assert set(stated) == set(shards)
    for name, members in shards.items():
        assert stated[name].entries == len(members)
        assert stated[name].identities == len({e.identity for e in members})
        expected = threshold(members)
        assert stated[name].threshold == (
            None if expected is None else pytest.approx(expected, abs=1e-5)
        )


@given(changes, st.data())
def test_reading_the_topic_again_from_anywhere_changes_nothing(
    applied: list[Change], data: st.DataObject
) -> None:
    """At-least-once: the last changes may come a second time."""
    holdings = plain_holdings(TARGET, "season")
    for position, change in enumerate(applied):
        holdings.apply(change, position)
    before, kept = holdings.state("one"), {e.entry_id: e for e in holdings}
    start = data.draw(st.integers(0, len(applied)))
    for position, change in enumerate(applied[start:], start):
        holdings.apply(change, position)
    assert {e.entry_id: e for e in holdings} == kept
    after = holdings.state("one")
    assert after.position == before.position
    assert after.models.keys() == before.models.keys()
    for model, shards in before.models.items():
        for cluster, shard in shards.items():
            again = after.models[model][cluster]
            assert (again.entries, again.identities) == (shard.entries, shard.identities)
            assert again.threshold == pytest.approx(shard.threshold, abs=1e-6)
