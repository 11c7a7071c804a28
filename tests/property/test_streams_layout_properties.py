"""A layout after any changes, against one that takes in at once what is left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.cluster import cluster_name
from recognition.watch import ImpostorWatch
from schemas.gallery import Change, Erased, GalleryEntry, Status
from streams.conditioning.artefact import Artefact
from streams.conditioning.placement import Placement
from streams.gallery.holdings import Holdings
from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import GalleryState
from tests.conditionings import DAY, NIGHT, conditioning
from tests.gallery_entries import MODEL, entry

OTHER = "other@1"
ARTEFACT = Artefact("light", "v1", MODEL, 0.3, conditioning(4))
PLACEMENTS: list[Placement] = [
    Placement(("light",), ARTEFACT),
    Placement(("light",)),
]
whole = st.tuples(*[st.integers(-2, 2)] * 4).filter(any)


@st.composite
def entries(draw: st.DrawFn) -> GalleryEntry:
    return entry(
        f"e{draw(st.integers(0, 6))}",
        draw(st.sampled_from(["oak", "elm", "ash"])),
        draw(whole),
        model=draw(st.sampled_from([MODEL, MODEL, OTHER])),
        background=draw(st.sampled_from([DAY, NIGHT, {}])),
        status=draw(st.sampled_from([*Status, Status.ACTIVE])),
    )


changes = st.lists(
    st.tuples(entries() | st.builds(Erased, st.integers(0, 6).map("e{}".format)), st.booleans()),
    max_size=25,
)


def empty(placement: Placement) -> PlacedGallery:
    return PlacedGallery(placement, None, 0.3)


def same(one: GalleryState, other: GalleryState) -> None:
    assert one.models.keys() == other.models.keys()
    assert (one.shards, one.dimensions) == (other.shards, other.dimensions)
    for model, shards in one.models.items():
        for cluster, shard in shards.items():
            again = other.models[model][cluster]
            assert shard.identities == again.identities
            assert shard.threshold == pytest.approx(again.threshold, abs=1e-4)
    assert one.thresholds.keys() == other.thresholds.keys()
    for model, thresholds in one.thresholds.items():
        assert thresholds == pytest.approx(other.thresholds[model], abs=1e-4)


@given(changes, st.sampled_from(PLACEMENTS))
def test_one_change_after_the_other_is_as_all_at_once(
    applied: list[tuple[Change, bool]], placement: Placement
) -> None:
    holdings = Holdings(empty(placement))
    for position, (change, asked) in enumerate(applied):
        holdings.apply(change, position)
        if asked:
            holdings.state("one")
    fresh = empty(placement)
    holdings.enter(fresh)
    while fresh.settle(2):
        pass
    same(holdings.state("one"), holdings.state("one", fresh))
    assert +holdings.placed.counts == fresh.counts
    assert {*holdings.placed.groups()} == {*fresh.groups()}
    for held in holdings:
        assert holdings.placed.index_key(held.entry_id) == fresh.index_key(held.entry_id)
    there = {e.entry_id: e for e in holdings.placed.entries()}
    again = {e.entry_id: e for e in fresh.entries()}
    active = {e.entry_id for e in holdings if e.status is Status.ACTIVE}
    assert there.keys() == again.keys() == active
    for entry_id, one in there.items():
        assert np.allclose(one.vector, again[entry_id].vector, atol=1e-6)
        assert one.scale == pytest.approx(again[entry_id].scale, abs=1e-5)


@given(changes)
def test_a_conditioning_places_its_own_model_and_leaves_others_as_they_are(
    applied: list[tuple[Change, bool]],
) -> None:
    holdings = Holdings(empty(PLACEMENTS[0]))
    for position, (change, _) in enumerate(applied):
        holdings.apply(change, position)
    state = holdings.state("one")
    watch = ImpostorWatch(ARTEFACT.conditioning)
    for held in holdings:
        if held.status is not Status.ACTIVE:
            continue
        lies = holdings.placed.entry(held.entry_id)
        assert lies is not None
        if held.model == OTHER:
            assert (lies.space, lies.scale) == (OTHER, 1)
            assert lies.vector is held.vector
            continue
        placed = ARTEFACT.conditioning.place(held.vector[None], [held.background])
        watch.extend([held.entry_id], placed)
        assert lies.space == f"{MODEL}+v1"
        assert lies.cluster == cluster_name(int(placed.clusters[0]))
        assert np.allclose(lies.vector, placed.vectors[0], atol=1e-6)
    expected = watch.thresholds(ARTEFACT.fpir)
    assert state.thresholds.get(MODEL, {}) == pytest.approx(expected, abs=1e-4)
    assert OTHER not in state.thresholds
    assert all(s.threshold is None for s in state.models.get(MODEL, {}).values())
