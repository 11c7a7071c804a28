"""What is written can be found, by every index: the exact twin in memory, and Redis."""

import numpy as np
import pytest

from recognition.cluster import EVERYWHERE
from schemas.errors import DependencyDown
from streams.index.base import Index, IndexKey, Query
from tests.contract.index_entries import ACTIVE, AXES, FITTED, filled, state
from tests.gallery_entries import MODEL, unit
from tests.index_entries import entry


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
