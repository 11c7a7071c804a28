"""What the index holds is not what its state says, or who writes was taken over."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest

from schemas.errors import DependencyDown
from streams.index.base import Index, IndexDiffers, Query
from tests.contract.index_entries import (
    AXES,
    FITTED_ENTRIES,
    PLAIN_ENTRIES,
    PLAIN_QUERY,
    filled,
    ids,
    place,
    state,
)
from tests.gallery_entries import MODEL
from tests.index_entries import entry


async def test_a_shard_that_lacks_what_its_state_counts_is_no_answer(index: Index) -> None:
    await index.write(PLAIN_ENTRIES[:1], [], state(PLAIN_ENTRIES))
    with pytest.raises(IndexDiffers):
        await ids(index, PLAIN_QUERY, "one")
    await index.write(PLAIN_ENTRIES[1:], [], state(PLAIN_ENTRIES))
    assert await ids(index, PLAIN_QUERY, "one") == ["a", "b"]


async def test_a_shard_with_more_than_its_state_counts_is_no_answer(index: Index) -> None:
    await filled(index, PLAIN_ENTRIES)
    await index.fill([entry("stranger", "fir", AXES[0])])
    with pytest.raises(IndexDiffers):
        await ids(index, PLAIN_QUERY, "one")


async def test_what_was_altered_is_told_and_can_be_put_right(index: Index) -> None:
    true = [entry(name, name, AXES[i], scale=0.5) for i, name in enumerate("abcd")]
    false = [
        true[0],
        replace(true[1], identity="else"),
        replace(true[2], vector=AXES[0]),
        replace(true[3], scale=0.6),
    ]
    lost = entry("lost", "lost", AXES[1])
    await filled(index, false)
    assert await index.altered([*true, lost]) == [*true[1:], lost]
    await index.write(true, [place(e) for e in true], state(true))
    assert await index.altered(true) == []
    assert await index.holds(state(true))
    found = await index.search([Query(e.vector, MODEL, ("all",)) for e in true], 1, "one")
    assert [near[0].identity for near in found] == list("abcd")


async def test_rounding_is_no_alteration(index: Index) -> None:
    held = entry("a", "oak", AXES[0] + 0.1, scale=0.1)
    await filled(index, [held])
    near = replace(held, vector=held.vector * np.float32(1 + 2e-6), scale=0.1 * (1 + 1e-7))
    assert await index.altered([near]) == []


async def test_what_does_not_belong_is_expelled(index: Index) -> None:
    await filled(index, PLAIN_ENTRIES)
    before = state(PLAIN_ENTRIES)
    kept = {place(e) for e in PLAIN_ENTRIES}
    assert await index.expel(before, kept.__contains__, 1.0) == []
    await index.fill([entry("stranger", "fir", AXES[0])])
    await index.fill(FITTED_ENTRIES)
    gone = await index.expel(before, kept.__contains__, 1.0)
    assert len(gone) == 3
    assert any("stranger" in name for name in gone)
    assert await index.holds(before)
    assert await ids(index, PLAIN_QUERY, "one") == ["a", "b"]


WRITES: dict[str, Callable[[Index, int], Awaitable[object]]] = {
    "write": lambda index, term: index.write(PLAIN_ENTRIES, [], state(PLAIN_ENTRIES), term),
    "fill": lambda index, term: index.fill(PLAIN_ENTRIES[:1], term),
    "sweep": lambda index, term: index.sweep(state([]), term),
    "clear": lambda index, term: index.clear(term),
    "expel": lambda index, term: index.expel(state([]), lambda _: False, 1.0, term),
}


@pytest.mark.parametrize("name", WRITES)
async def test_who_was_taken_over_changes_nothing(index: Index, name: str) -> None:
    await index.write(PLAIN_ENTRIES, [], state(PLAIN_ENTRIES), 7)
    await index.write(PLAIN_ENTRIES, [], state(PLAIN_ENTRIES, position=5), 8)
    with pytest.raises(DependencyDown, match="taken over") as caught:
        await WRITES[name](index, 7)
    assert caught.value.dependency == "gallery"
    assert await index.state() == state(PLAIN_ENTRIES, position=5)
    assert await ids(index, PLAIN_QUERY, "one") == ["a", "b"]
    await WRITES[name](index, 8)


async def test_a_term_outlives_what_it_wrote(index: Index) -> None:
    assert await index.term() == 0
    await index.write(PLAIN_ENTRIES, [], state(PLAIN_ENTRIES), 8)
    await index.clear(9)
    with pytest.raises(DependencyDown, match="taken over"):
        await index.write(PLAIN_ENTRIES, [], state(PLAIN_ENTRIES), 8)
    assert await index.state() is None
    assert await index.term() == 9
