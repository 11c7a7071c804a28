"""What holds of every trial, and the TPIR against loops over probes and entries."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.protocol import Trial
from recognition.trials import draw_trials, tpirs

images = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.sampled_from(["", "1", "2", "3"])),
    min_size=3,
    max_size=40,
)
seeds = st.integers(0, 2**32 - 1)
Float64 = NDArray[np.float64]
Images = list[tuple[str, str]]


def sessions_by_name(given: Images) -> dict[str, set[tuple[str, int]]]:
    found: dict[str, set[tuple[str, int]]] = {}
    for index, (name, session) in enumerate(given):
        found.setdefault(name, set()).add((session, -1 if session else index))
    return found


def trials_of(given: Images, seed: int, shots: int, apart: Float64 | None = None) -> list[Trial]:
    sessions = sessions_by_name(given)
    assume(len(sessions) > 1 and any(len(own) > 1 for own in sessions.values()))
    labels, named = (list(each) for each in zip(*given, strict=True))
    return draw_trials(labels, named, shots=shots, draws=3, seed=seed, apart=apart)


def apart_of(given: Images, seed: int) -> Float64:
    places = np.random.default_rng(seed).integers(0, 3, len(given))
    return np.asarray(np.abs(places[:, None] - places), np.float64)


@given(images, seeds, st.integers(1, 5), st.booleans())
def test_every_trial_is_open_and_honest(
    given_images: Images, seed: int, shots: int, by_background: bool
) -> None:
    apart = apart_of(given_images, seed) if by_background else None
    sessions = sessions_by_name(given_images)
    for trial in trials_of(given_images, seed, shots, apart):
        gallery, probes = trial.gallery.tolist(), trial.probes.tolist()
        assert not set(gallery) & set(probes)
        assert gallery == sorted(set(gallery))
        assert probes == sorted(set(probes))
        enrolled = [given_images[i][0] for i in gallery]
        assert 1 <= len(set(enrolled)) < len(sessions)
        assert len(set(enrolled)) <= max(1, round(0.6 * len(sessions)))
        for name in set(enrolled):
            assert enrolled.count(name) <= shots
            looked_up = {given_images[i] for i in probes if given_images[i][0] == name}
            there = {given_images[i] for i in gallery if given_images[i][0] == name}
            assert looked_up
            assert not {pair for pair in looked_up & there if pair[1]}
        unknown = [i for i, (name, _) in enumerate(given_images) if name not in enrolled]
        assert set(unknown) <= set(probes)


@given(images, seeds, st.integers(1, 5))
def test_with_apart_nobody_has_a_nearer_background_than_those_enrolled(
    given_images: Images, seed: int, shots: int
) -> None:
    """For some image that was drawn: the sessions of an identity are taken by their mean."""
    apart = apart_of(given_images, seed)
    for trial in trials_of(given_images, seed, shots, apart):
        assert any(nearest_first(given_images, trial, row) for row in apart)


def nearest_first(given_images: Images, trial: Trial, strangeness: Float64) -> bool:
    means: dict[tuple[str, str, int], list[float]] = {}
    keys = [
        (name, session, -1 if session else index)
        for index, (name, session) in enumerate(given_images)
    ]
    for key, value in zip(keys, strangeness.tolist(), strict=True):
        means.setdefault(key, []).append(value)
    mean = {key: sum(own) / len(own) for key, own in means.items()}
    enrolled = {keys[i] for i in trial.gallery.tolist()}
    looked_up = {keys[i] for i in trial.probes.tolist()}
    return all(
        mean[one] <= mean[other] + 1e-12
        for one in enrolled
        for other in looked_up
        if one[0] == other[0]
    )


@given(seeds, st.integers(0, 99))
def test_the_tpir_is_that_of_loops(seed: int, percent: int) -> None:
    rng = np.random.default_rng(seed)
    labels = [f"id{i // 3}" for i in range(24)]
    matrix = rng.random((24, 24)).astype(np.float32)
    trials = draw_trials(labels, seed=seed, draws=4)
    expected = []
    for trial in trials:
        nearest = {
            i: min((matrix[i, j], labels[j]) for j in trial.gallery.tolist())
            for i in trial.probes.tolist()
        }
        enrolled = {labels[j] for j in trial.gallery.tolist()}
        impostors = sorted(near for i, (near, _) in nearest.items() if labels[i] not in enrolled)
        first_rejected = impostors[percent * len(impostors) // 100]
        known = [i for i in nearest if labels[i] in enrolled]
        found = [i for i in known if nearest[i][0] < first_rejected and nearest[i][1] == labels[i]]
        expected.append(len(found) / len(known))
    assert tpirs(matrix, labels, trials, percent / 100).tolist() == pytest.approx(expected)
