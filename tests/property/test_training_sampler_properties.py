"""What holds of every batch and of every run of batches, whatever the shape of the data."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.training.sampler import IdentitySampler


@st.composite
def labelled(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels with gaps, in any order, and a group of each image."""
    labels = draw(st.lists(st.integers(-50, 50), min_size=1, max_size=60))
    groups = draw(st.lists(st.integers(-1, 4), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(groups)


@given(labelled(), st.integers(1, 12), st.integers(1, 6), st.integers(0, 2**32))
def test_identities_are_visited_equally_often_after_every_step(
    data: tuple[NDArray[np.int64], NDArray[np.int64]], identities: int, images: int, seed: int
) -> None:
    labels, groups = data
    sampler = IdentitySampler(labels, groups, identities, images, seed)
    visits = dict.fromkeys(labels.tolist(), 0)
    for step in range(25):
        for label in set(labels[sampler.draw(step)].tolist()):
            visits[label] += 1
        assert max(visits.values()) - min(visits.values()) <= 1


@given(labelled(), st.integers(1, 12), st.integers(1, 6), st.integers(0, 10**9))
def test_a_batch_is_as_varied_as_its_identities_allow(
    data: tuple[NDArray[np.int64], NDArray[np.int64]], identities: int, images: int, step: int
) -> None:
    labels, groups = data
    batch = IdentitySampler(labels, groups, identities, images, 0).draw(step)
    drawn = batch.reshape(-1, images)
    assert len(drawn) == len(set(labels[batch].tolist())) == min(identities, len(set(labels)))
    for row in drawn:
        assert len(set(labels[row].tolist())) == 1
        own = np.flatnonzero(labels == labels[row[0]])
        assert len(set(row.tolist())) == min(images, len(own))
        assert len(set(groups[row].tolist())) == min(images, len(set(groups[own].tolist())))
        assert Counter(row.tolist()).most_common(1)[0][1] == -(-images // min(images, len(own)))
