"""The stall against its definition, told plainly."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.health import PartitionProgress, Stall

AFTER_S = 3

steps = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.booleans()),  # commits, waits, held up
    max_size=30,
)


@given(steps)
def test_it_is_said_exactly_when_a_partition_stood_still_so_long(
    history: list[tuple[bool, bool, bool]],
) -> None:
    stall = Stall(AFTER_S)
    committed = 0
    still_since = None
    for second, (commits, waits, held_up) in enumerate(history):
        committed += commits
        moved = commits or not waits or held_up
        if moved or still_since is None:
            still_since = second
        said = stall.see(second, {"t-0": PartitionProgress(committed, waits)}, held_up=held_up)
        assert (said is not None) == (second - still_since >= AFTER_S)


@given(steps, steps)
def test_partitions_are_judged_each_by_itself(
    one: list[tuple[bool, bool, bool]], other: list[tuple[bool, bool, bool]]
) -> None:
    together, alone = Stall(AFTER_S), (Stall(AFTER_S), Stall(AFTER_S))
    committed = [0, 0]
    for second, pair in enumerate(zip(one, other, strict=False)):
        places = {}
        for i, (commits, waits, _) in enumerate(pair):
            committed[i] += commits
            places[f"t-{i}"] = PartitionProgress(committed[i], waits)
        held_up = pair[0][2]
        apart = [
            alone[i].see(second, {name: place}, held_up=held_up)
            for i, (name, place) in enumerate(places.items())
        ]
        said = together.see(second, places, held_up=held_up)
        assert (said is None) == (apart == [None, None])
        assert said is None or said in apart
