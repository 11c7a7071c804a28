"""Event names as ids of entries: every index keeps them apart, whatever they are made of."""

from schemas.codec import MAX_ID, MAX_TEXT
from schemas.event import event_name
from streams.index.base import Index, IndexKey, Query
from tests.contract.index_entries import AXES, filled, state
from tests.gallery_entries import MODEL
from tests.index_entries import entry

NAMES = [
    event_name("north", "IMG_0001.jpg"),
    event_name("south", "IMG_0001.jpg", 1),
    event_name("gate {#1}/ä:*", "50%/a#0.jpg"),
    event_name("\N{COW}" * MAX_TEXT, "\N{COW}" * MAX_ID, 63),
]


async def test_each_name_is_found_and_removed_by_itself(index: Index) -> None:
    held = [entry(name, f"p{i}", AXES[i]) for i, name in enumerate(NAMES)]
    await filled(index, held)
    queries = [Query(AXES[i], MODEL, ("all",)) for i in range(len(NAMES))]
    found = await index.search(queries, 1, "one")
    assert [nearest[0].entry_id for nearest in found] == NAMES
    gone = [IndexKey(name, MODEL, "all") for name in NAMES[:2]]
    await index.write([], gone, state(held[2:]))
    (left,) = await index.search(queries[:1], 4, "one")
    assert {near.entry_id for near in left} == set(NAMES[2:])
