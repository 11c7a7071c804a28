"""Whatever the images, no split lets anything leak."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recognition.protocol import Part, make_splits

# At least ten identities of two sessions, and some that have one.
sizes = st.lists(
    st.lists(st.integers(1, 4), min_size=2, max_size=4), min_size=10, max_size=14
).flatmap(lambda many: st.tuples(st.just(many), st.lists(st.integers(1, 5), max_size=6)))


@given(sizes, st.integers(1, 6), st.integers(0, 2**31), st.booleans())
def test_nothing_leaks(
    made: tuple[list[list[int]], list[int]], shots: int, seed: int, named: bool
) -> None:
    several, single = made
    rows = [
        (f"id{i}", f"day{day}")
        for i, identity in enumerate([*several, *([n] for n in single)])
        for day, images in enumerate(identity)
        for _ in range(images)
    ]
    order = np.random.default_rng(seed).permutation(len(rows))
    labels = [rows[i][0] for i in order]
    sessions = [rows[i][1] if named else "" for i in order]
    for split in make_splits(labels, sessions, count=2, seed=seed, shots=shots):
        used = [{labels[i] for i in split.train}]
        for part in (Part.CALIBRATE, Part.TEST):
            trial = split.trials["mixed", part]
            gallery = {labels[i] for i in trial.gallery}
            probes = {labels[i] for i in trial.probes}
            used.append(gallery | probes)
            assert gallery
            assert gallery < probes  # each known identity is looked up, and some unknown one
            enrolled = [labels[i] for i in trial.gallery]
            assert all(enrolled.count(name) <= shots for name in gallery)
            assert not set(trial.gallery) & set(trial.probes)
            assert len(set(trial.probes)) == len(trial.probes)
            if named:
                taken = {(labels[i], sessions[i]) for i in trial.gallery}
                assert not taken & {(labels[i], sessions[i]) for i in trial.probes}
        assert sum(map(len, used)) == len(set().union(*used)) == len(set(labels))
