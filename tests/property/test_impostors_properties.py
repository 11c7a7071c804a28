"""After any sequence of changes, nearest impostors are what a search of everything finds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.impostors import NearestImpostors

Vector = tuple[float, ...]
Entries = dict[str, tuple[str, Vector]]

ids = st.sampled_from([f"e{number}" for number in range(7)])
identities = st.sampled_from(["oak", "pond", "gate", "hut"])
# A small grid, off the origin: many vectors coincide, and none is zero.
vectors = st.tuples(*[st.integers(-2, 2).map(lambda value: value + 0.5)] * 3)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("add"), ids, identities, vectors),
        st.tuples(st.just("remove"), ids, st.just(""), st.just(())),
    ),
    max_size=40,
)


def add(impostors: NearestImpostors, entry_id: str, identity: str, vector: Vector) -> None:
    impostors.extend([entry_id], [identity], np.array([vector], dtype=np.float32))


def distance(x: Vector, y: Vector) -> float:
    dot = math.fsum(a * b for a, b in zip(x, y, strict=True))
    return 1 - dot / (math.hypot(*x) * math.hypot(*y))


def brute_force(entries: Entries) -> list[float]:
    nearest = (
        min(
            (distance(x, y) for other, y in entries.values() if other != identity),
            default=None,
        )
        for identity, x in entries.values()
    )
    return sorted(each for each in nearest if each is not None)


@given(changes)
def test_they_equal_brute_force_after_every_change(
    sequence: list[tuple[str, str, str, Vector]],
) -> None:
    impostors, entries = NearestImpostors(3), Entries()
    for change, entry_id, identity, vector in sequence:
        if change == "add":
            add(impostors, entry_id, identity, vector)
            entries[entry_id] = identity, vector
        elif entry_id in entries:
            impostors.remove(entry_id)
            del entries[entry_id]
        assert (entry_id in impostors) == (entry_id in entries)
        assert len(impostors) == len(entries)
        expected = brute_force(entries)
        assert sorted(impostors.distances().tolist()) == pytest.approx(expected, abs=1e-6)


@given(
    st.dictionaries(ids, st.tuples(identities, vectors), min_size=1),
    st.integers(1, 99),
)
def test_the_order_of_enrolment_does_not_matter(entries: Entries, percent: int) -> None:
    there, back = NearestImpostors(3), NearestImpostors(3)
    for impostors, order in ((there, list(entries)), (back, list(entries)[::-1])):
        for entry_id in order:
            identity, vector = entries[entry_id]
            add(impostors, entry_id, identity, vector)
    one, other = there.threshold(percent / 100), back.threshold(percent / 100)
    assert one == (None if other is None else pytest.approx(other, abs=1e-5))


@given(
    st.dictionaries(ids, st.tuples(identities, vectors), min_size=1),
    st.dictionaries(ids, st.tuples(identities, vectors), min_size=1),
    st.integers(1, 3),
)
def test_many_at_once_are_as_one_by_one(first: Entries, second: Entries, block: int) -> None:
    """In blocks of few, so that there are several; the second time some take others' places."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recognition.impostors.BLOCK", block)
        impostors = NearestImpostors(3)
        for entries in (first, second):
            who, where = zip(*entries.values(), strict=True)
            impostors.extend(list(entries), who, np.array(where, dtype=np.float32))
    held = {**first, **second}
    assert len(impostors) == len(held)
    expected = brute_force(held)
    assert sorted(impostors.distances().tolist()) == pytest.approx(expected, abs=1e-6)
