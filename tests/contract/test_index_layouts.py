"""A second layout grows in the index beside the one that is searched, and takes its place."""

import numpy as np
import pytest

from schemas.errors import DependencyDown
from streams.index.base import GalleryState, Index, IndexKey, Query
from tests.contract.index_entries import (
    ACTIVE,
    AXES,
    FITTED,
    FITTED_ENTRIES,
    FITTED_QUERY,
    PLAIN_ENTRIES,
    PLAIN_QUERY,
    filled,
    ids,
    state,
)
from tests.gallery_entries import MODEL
from tests.index_entries import entry


async def test_a_second_space_grows_beside_the_first(index: Index) -> None:
    """Before the state names it nobody sees it; then the first can be swept."""
    before = state(PLAIN_ENTRIES)
    after = state(FITTED_ENTRIES, epoch="two", conditioning=ACTIVE)
    await index.write(PLAIN_ENTRIES, [], before)
    for grown in FITTED_ENTRIES:
        assert not await index.holds(after)
        await index.fill([grown])
        assert await index.state() == before
        assert await ids(index, PLAIN_QUERY, "one") == ["a", "b"]
    assert await index.holds(after)
    await index.write([], [], after)
    assert await index.state() == after
    assert set(await ids(index, FITTED_QUERY, "two")) == {"a", "b"}
    with pytest.raises(DependencyDown):
        await ids(index, PLAIN_QUERY, "one")
    await index.sweep(after)
    with pytest.raises(DependencyDown):
        await ids(index, PLAIN_QUERY, "two")
    assert set(await ids(index, FITTED_QUERY, "two")) == {"a", "b"}


async def test_what_a_cut_off_attempt_left_is_swept(index: Index) -> None:
    before = state(PLAIN_ENTRIES)
    await index.write(PLAIN_ENTRIES, [], before)
    await index.fill(FITTED_ENTRIES)
    await index.sweep(before)
    assert await ids(index, PLAIN_QUERY, "one") == ["a", "b"]
    again = state(FITTED_ENTRIES[:1], epoch="two", conditioning=ACTIVE)
    await index.fill(FITTED_ENTRIES[:1])
    assert await index.holds(again)
    await index.write([], [], again)
    assert await ids(index, Query(AXES[0], FITTED, ("c0",)), "two") == ["a"]
    with pytest.raises(DependencyDown):
        await ids(index, FITTED_QUERY, "two")


async def test_an_index_knows_whether_it_holds_what_a_state_says(index: Index) -> None:
    assert await index.holds(GalleryState(epoch="one", position=-1, models={}))
    assert not await index.holds(state(PLAIN_ENTRIES))
    await filled(index, PLAIN_ENTRIES)
    assert await index.holds(state(PLAIN_ENTRIES))
    assert not await index.holds(state(PLAIN_ENTRIES[:1]))
    assert not await index.holds(state([*PLAIN_ENTRIES, *FITTED_ENTRIES]))
    await index.write([], [IndexKey("a", MODEL, "all")], state(PLAIN_ENTRIES[1:]))
    assert await index.holds(state(PLAIN_ENTRIES[1:]))


async def test_a_large_shard_that_is_filled_piece_by_piece_is_built_once(index: Index) -> None:
    """Above 30 entries Redis begins with HNSW here, since the state says how many will come."""
    rng = np.random.default_rng(2)
    many = [entry(f"e{i}", f"id{i}", rng.normal(size=16), "c0", FITTED) for i in range(60)]
    whole = state(many, conditioning=ACTIVE)
    await index.fill(many[:20])
    await index.fill(many[20:])
    assert await index.holds(whole)
    await index.write([], [], whole)
    found = await index.search([Query(e.vector, FITTED, ("c0",)) for e in many], 1, "one")
    assert [n[0].entry_id for n in found] == [e.entry_id for e in many]
    await index.sweep(state([]))
    with pytest.raises(DependencyDown):
        await index.search([Query(many[0].vector, FITTED, ("c0",))], 1, "one")
