"""One suite for every index: the exact twin in memory, and Redis."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infra.local.embedded import Services
from recognition.cluster import EVERYWHERE
from schemas.conditioning import ArtefactRef
from schemas.errors import DependencyDown
from streams.index.base import (
    GalleryState,
    Index,
    IndexDiffers,
    IndexEntry,
    IndexKey,
    Query,
    ShardState,
)
from streams.index.memory import MemoryIndex
from streams.index.redis import RedisIndex
from tests.gallery_entries import MODEL, unit

AXES = np.eye(4, dtype=np.float32)
ACTIVE = ArtefactRef(name="light", version="v1", uri="file:///c", model=MODEL)
FITTED = f"{MODEL}+v1"


@pytest.fixture(params=["memory", "redis"])
async def index(request: pytest.FixtureRequest, stack_services: Services) -> AsyncIterator[Index]:
    if request.param == "memory":
        yield MemoryIndex()
        return
    prefix = f"t{uuid.uuid4().hex[:8]}."
    made = RedisIndex.connect(stack_services.redis, prefix=prefix, hnsw_above=30, timeout_s=5)
    yield made
    await made.remove()
    await made.close()


def entry(
    entry_id: str,
    identity: str,
    vector: Any,
    cluster: str = "all",
    space: str = MODEL,
    scale: float = 1.0,
) -> IndexEntry:
    return IndexEntry(entry_id, identity, space, cluster, unit(vector), scale)


def state(
    entries: list[IndexEntry],
    epoch: str = "one",
    position: int = 0,
    conditioning: ArtefactRef | None = None,
) -> GalleryState:
    models: dict[str, dict[str, ShardState]] = {}
    for e in entries:
        for cluster in (e.cluster, EVERYWHERE):
            shards = models.setdefault(e.space.partition("+")[0], {})
            held = shards[cluster].entries if cluster in shards else 0
            shards[cluster] = ShardState(entries=held + 1, identities=1, threshold=0.5)
    return GalleryState(epoch=epoch, position=position, models=models, conditioning=conditioning)


async def filled(index: Index, entries: list[IndexEntry]) -> None:
    await index.write(entries, [], state(entries))


async def test_a_new_index_has_no_state(index: Index) -> None:
    assert await index.state() is None


async def test_the_state_is_read_as_written(index: Index) -> None:
    plain = state([entry("a", "oak", AXES[0])], position=41, conditioning=ACTIVE)
    written = plain.model_copy(update={"thresholds": {MODEL: {"c0": 0.25, EVERYWHERE: 0.5}}})
    await index.write([entry("a", "oak", AXES[0], "all", FITTED)], [], written)
    assert await index.state() == written


async def test_nearest_first_with_cosine_distances(index: Index) -> None:
    await filled(index, [entry("a", "oak", AXES[0]), entry("b", "elm", AXES[0] + AXES[1])])
    (found,) = await index.search([Query(AXES[0], MODEL, ("all",))], 10, "one")
    assert [(n.entry_id, n.identity, n.cluster) for n in found] == [
        ("a", "oak", "all"),
        ("b", "elm", "all"),
    ]
    assert [n.distance for n in found] == pytest.approx([0, 1 - np.sqrt(0.5)], abs=1e-5)


async def test_scales_come_along(index: Index) -> None:
    await filled(index, [entry("a", "oak", AXES[0], scale=0.1), entry("b", "elm", AXES[1])])
    (found,) = await index.search([Query(AXES[0], MODEL, ("all",))], 10, "one")
    assert [n.scale for n in found] == [0.1, 1.0]


async def test_k_bounds_the_answer_over_all_shards_together(index: Index) -> None:
    day = [
        entry(f"d{i}", "oak", AXES[0] + 0.2 * i * AXES[1], cluster="light=day") for i in range(3)
    ]
    night = [entry(f"n{i}", "elm", AXES[0] + (0.1 + 0.2 * i) * AXES[1], cluster="light=night")
             for i in range(3)]  # fmt: skip
    await filled(index, day + night)
    query = Query(AXES[0], MODEL, ("light=day", "light=night"))
    (found,) = await index.search([query], 4, "one")
    assert [n.entry_id for n in found] == ["d0", "n0", "d1", "n1"]
    assert {n.cluster for n in found} == {"light=day", "light=night"}


async def test_a_query_sees_only_its_shards_and_its_space(index: Index) -> None:
    entries = [
        entry("a", "oak", AXES[0], cluster="c=1"),
        entry("b", "elm", AXES[0], cluster="c=10"),
        entry("c", "ash", AXES[0], cluster="c=1", space="other@1"),
    ]
    await filled(index, entries)
    (found,) = await index.search([Query(AXES[0], MODEL, ("c=1",))], 10, "one")
    assert [n.entry_id for n in found] == ["a"]


async def test_many_queries_in_one_round_keep_their_order(index: Index) -> None:
    await filled(index, [entry(f"e{i}", f"id{i}", AXES[i]) for i in range(4)])
    queries = [Query(AXES[i], MODEL, ("all",)) for i in (2, 0, 3, 1)]
    found = await index.search(queries, 1, "one")
    assert [n[0].identity for n in found] == ["id2", "id0", "id3", "id1"]


async def test_a_query_of_no_shards_finds_nothing(index: Index) -> None:
    await filled(index, [entry("a", "oak", AXES[0])])
    assert await index.search([Query(AXES[0], MODEL, ())], 3, "one") == [()]


async def test_a_second_write_of_an_entry_replaces_it(index: Index) -> None:
    await filled(index, [entry("a", "oak", AXES[0])])
    await filled(index, [entry("a", "elm", AXES[1])])
    (found,) = await index.search([Query(AXES[1], MODEL, ("all",))], 10, "one")
    assert [(n.entry_id, n.identity) for n in found] == [("a", "elm")]


async def test_what_is_gone_is_not_found(index: Index) -> None:
    a, b = entry("a", "oak", AXES[0]), entry("b", "elm", AXES[1])
    await filled(index, [a, b])
    await index.write([], [IndexKey("a", MODEL, "all")], state([b]))
    (found,) = await index.search([Query(AXES[0], MODEL, ("all",))], 10, "one")
    assert [n.entry_id for n in found] == ["b"]


@pytest.mark.parametrize("name", ["a b", "x#0", "ünïcode/é.jpg", "t-3-9", "{b}:*", "a,b|c"])
async def test_names_of_all_kinds_survive(index: Index, name: str) -> None:
    await filled(index, [entry(name, f"identity {name}", AXES[0])])
    (found,) = await index.search([Query(AXES[0], MODEL, ("all",))], 1, "one")
    assert (found[0].entry_id, found[0].identity) == (name, f"identity {name}")


async def test_a_missing_shard_is_no_empty_answer(index: Index) -> None:
    await filled(index, [entry("a", "oak", AXES[0])])
    with pytest.raises(DependencyDown):
        await index.search([Query(AXES[0], MODEL, ("light=night",))], 3, "one")


async def test_an_index_made_anew_refuses_the_old_epoch(index: Index) -> None:
    entries = [entry("a", "oak", AXES[0])]
    await filled(index, entries)
    await index.clear()
    assert await index.state() is None
    with pytest.raises(DependencyDown):
        await index.search([Query(AXES[0], MODEL, ())], 3, "one")
    await index.write(entries, [], state(entries, epoch="two"))
    with pytest.raises(DependencyDown):
        await index.search([Query(AXES[0], MODEL, ("all",))], 3, "one")
    (found,) = await index.search([Query(AXES[0], MODEL, ("all",))], 3, "two")
    assert len(found) == 1


async def test_a_shard_that_grows_keeps_answering(index: Index) -> None:
    """Redis changes from FLAT to HNSW above 30 entries here; the answers stay the same."""
    rng = np.random.default_rng(1)
    entries = [entry(f"e{i}", f"id{i}", unit(rng.normal(size=16))) for i in range(60)]
    await filled(index, entries[:20])
    await index.write(entries[20:], [], state(entries))
    queries = [Query(e.vector, MODEL, ("all",)) for e in entries]
    found = await index.search(queries, 1, "one")
    assert [n[0].entry_id for n in found] == [e.entry_id for e in entries]
    more = entry("late", "late", unit(rng.normal(size=16)))
    await index.write([more], [], state([*entries, more]))
    (late,) = await index.search([Query(more.vector, MODEL, ("all",))], 1, "one")
    assert late[0].identity == "late"


PLAIN_ENTRIES = [entry("a", "oak", AXES[0]), entry("b", "elm", AXES[1])]
FITTED_ENTRIES = [
    entry("a", "oak", AXES[2], "c0", FITTED, 0.5),
    entry("b", "elm", AXES[3], "c1", FITTED, 0.5),
]
PLAIN_QUERY = Query(AXES[0], MODEL, ("all",))
FITTED_QUERY = Query(AXES[0], FITTED, ("c0", "c1"))


async def ids(index: Index, query: Query, epoch: str) -> list[str]:
    (found,) = await index.search([query], 10, epoch)
    return [neighbour.entry_id for neighbour in found]


async def test_a_second_space_grows_beside_the_first(index: Index) -> None:
    """Before the state names it nobody sees it; then the first can be swept."""
    before = state(PLAIN_ENTRIES)
    after = state(FITTED_ENTRIES, epoch="two", conditioning=ACTIVE)
    await index.write(PLAIN_ENTRIES, [], before)
    for grown in FITTED_ENTRIES:
        assert not await index.holds(after)
        await index.fill([grown], after)
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
    await index.fill(FITTED_ENTRIES, state(FITTED_ENTRIES, conditioning=ACTIVE))
    await index.sweep(before)
    assert await ids(index, PLAIN_QUERY, "one") == ["a", "b"]
    again = state(FITTED_ENTRIES[:1], epoch="two", conditioning=ACTIVE)
    await index.fill(FITTED_ENTRIES[:1], again)
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
    await index.fill(many[:20], whole)
    await index.fill(many[20:], whole)
    assert await index.holds(whole)
    await index.write([], [], whole)
    found = await index.search([Query(e.vector, FITTED, ("c0",)) for e in many], 1, "one")
    assert [n[0].entry_id for n in found] == [e.entry_id for e in many]
    await index.sweep(state([]))
    with pytest.raises(DependencyDown):
        await index.search([Query(many[0].vector, FITTED, ("c0",))], 1, "one")


def place(of: IndexEntry) -> IndexKey:
    return IndexKey(of.entry_id, of.space, of.cluster)


async def test_a_shard_that_lacks_what_its_state_counts_is_no_answer(index: Index) -> None:
    await index.write(PLAIN_ENTRIES[:1], [], state(PLAIN_ENTRIES))
    with pytest.raises(IndexDiffers):
        await ids(index, PLAIN_QUERY, "one")
    await index.write(PLAIN_ENTRIES[1:], [], state(PLAIN_ENTRIES))
    assert await ids(index, PLAIN_QUERY, "one") == ["a", "b"]


async def test_a_shard_with_more_than_its_state_counts_is_no_answer(index: Index) -> None:
    await filled(index, PLAIN_ENTRIES)
    await index.fill([entry("stranger", "fir", AXES[0])], state(PLAIN_ENTRIES))
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
    await index.fill([entry("stranger", "fir", AXES[0])], before)
    await index.fill(FITTED_ENTRIES, before)
    gone = await index.expel(before, kept.__contains__, 1.0)
    assert len(gone) == 3
    assert any("stranger" in name for name in gone)
    assert await index.holds(before)
    assert await ids(index, PLAIN_QUERY, "one") == ["a", "b"]


WRITES: dict[str, Callable[[Index, int], Awaitable[object]]] = {
    "write": lambda index, term: index.write(PLAIN_ENTRIES, [], state(PLAIN_ENTRIES), term),
    "fill": lambda index, term: index.fill(PLAIN_ENTRIES[:1], state(PLAIN_ENTRIES), term),
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
