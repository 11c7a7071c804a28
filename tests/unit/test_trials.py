"""Trials on herds whose places and days are plain to see."""

import math

import numpy as np
import pytest

from recognition.distance import distances
from recognition.trials import draw_trials, resampled_tpir, tpirs
from tests.unit.angles import trial

COWS = [f"cow{i}" for i in range(10) for _ in range(12)]
DAYS = [f"day{i}" for _ in range(10) for i in range(4) for _ in range(3)]  # three images a day
LIGHT = np.array([i % 2 for _ in range(10) for i in range(4) for _ in range(3)])
OTHER_LIGHT = (LIGHT[:, None] != LIGHT).astype(np.float64)


@pytest.mark.parametrize("apart", [None, OTHER_LIGHT])
def test_six_of_ten_are_enrolled_and_all_the_others_are_unknown(
    apart: np.ndarray | None,
) -> None:
    trials = draw_trials(COWS, DAYS, draws=30, apart=apart)
    assert len(trials) == 30
    for one in trials:
        enrolled = [COWS[i] for i in one.gallery]
        assert {enrolled.count(cow) for cow in set(enrolled)} == {3}
        assert len(set(enrolled)) == 6
        assert {COWS[i] for i in one.probes} == set(COWS)


@pytest.mark.parametrize("apart", [None, OTHER_LIGHT])
def test_no_session_is_both_enrolled_and_looked_up(apart: np.ndarray | None) -> None:
    for one in draw_trials(COWS, DAYS, shots=5, apart=apart):
        enrolled, looked_up = (
            {(COWS[i], DAYS[i]) for i in images} for images in (one.gallery, one.probes)
        )
        assert not enrolled & looked_up
        assert not set(one.gallery.tolist()) & set(one.probes.tolist())


def test_apart_enrols_the_images_nearest_in_background() -> None:
    trials = draw_trials(COWS, DAYS, draws=30, apart=OTHER_LIGHT)
    lights = [set(LIGHT[one.gallery].tolist()) for one in trials]
    assert {light for own in lights for light in own} == {0, 1}  # now one, now the other
    for one, own in zip(trials, lights, strict=True):
        assert len(own) == 1
        # One of the two days in it is enrolled, so one of the three that are left is in it.
        known = [i for i in one.probes if COWS[i] in {COWS[j] for j in one.gallery}]
        assert np.mean([LIGHT[i] in own for i in known]) == pytest.approx(1 / 3)


def test_without_apart_every_background_is_enrolled() -> None:
    mixed = [len(set(LIGHT[one.gallery].tolist())) for one in draw_trials(COWS, DAYS, draws=30)]
    assert np.mean(mixed) > 1.8


def test_images_without_sessions_are_sessions_of_their_own() -> None:
    for one in draw_trials(["a", "a", "b", "b"], draws=5):
        assert one.gallery.size == 1
        assert one.probes.size == 3


def test_the_seed_decides() -> None:
    def drawn(seed: int) -> list[list[int]]:
        return [one.gallery.tolist() for one in draw_trials(COWS, seed=seed, draws=5)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert len({tuple(gallery) for gallery in drawn(1)}) == 5


@pytest.mark.parametrize(
    ("labels", "sessions", "draws", "why"),
    [
        (["a", "a", "b"], None, 0, "at least one draw, got 0"),
        (["a", "a", "b"], ["x"], 1, "shorter"),
        (["a", "a"], None, 1, "1 identities"),
        (["a", "a", "b"], ["x", "x", "x"], 1, "0 of them of two sessions"),
        ([], None, 1, "0 identities"),
    ],
)
def test_trials_need_identities(
    labels: list[str], sessions: list[str] | None, draws: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        draw_trials(labels, sessions, draws=draws)


def test_the_tpir_of_each_trial_by_hand() -> None:
    """On a line: a at 0 and 1, b at 10 and 12, and the stranger x at 2 and 30."""
    places, labels = np.array([0.0, 1, 10, 12, 2, 30]), ["a", "a", "b", "b", "x", "x"]
    matrix = np.abs(places[:, None] - places).astype(np.float32)
    both = trial([0, 2], [1, 3, 4, 5])  # probes at 1, 2, 2 and 20 from the gallery
    only_b = trial([2], [3, 0, 1])  # of a nobody is enrolled: he is the stranger, at 9
    assert tpirs(matrix, labels, [both, only_b], 0.05).tolist() == [0.5, 1]
    assert tpirs(matrix, labels, [both, only_b], 0.5).tolist() == [1, 1]
    assert math.isnan(tpirs(matrix, labels, [trial([0], [4, 5])], 0.5)[0])


def test_resampled_tpir_is_the_mean_over_the_trials() -> None:
    images, labels = herd(0.6)
    matrix, trials = distances(images, images), draw_trials(labels, shots=2, draws=7, seed=3)
    expected = tpirs(matrix, labels, trials, 0.2).mean()
    assert resampled_tpir(images, labels, fpir=0.2, shots=2, draws=7, seed=3) == expected


def herd(spread: float, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(10, 16))
    labels = [str(i) for i in range(10) for _ in range(8)]
    images = np.repeat(centres, 8, axis=0) + spread * rng.normal(size=(80, 16))
    return images.astype(np.float32), labels


def test_resampled_tpir_orders_embeddings() -> None:
    tight, middling, noise = (resampled_tpir(*herd(spread)) for spread in (0.01, 0.6, 9.0))
    assert tight == 1
    assert 0.1 < middling < 0.99
    assert noise < 0.2


def test_resampled_tpir_draws_the_same_trials_again() -> None:
    images, labels = herd(0.6)
    assert resampled_tpir(images, labels) == resampled_tpir(images, labels)
    assert resampled_tpir(images, labels) != resampled_tpir(images, labels, seed=1)


def test_resampled_tpir_keeps_sessions_apart() -> None:
    """Near-duplicates of one session make noise look like recognition, unless kept apart."""
    rng = np.random.default_rng(0)
    labels = [str(i) for i in range(10) for _ in range(8)]
    sessions = [str(session) for _ in range(10) for session in (0, 0, 0, 0, 1, 1, 1, 1)]
    images = np.repeat(rng.normal(size=(20, 16)), 4, axis=0) + 0.01 * rng.normal(size=(80, 16))
    vectors = images.astype(np.float32)
    assert resampled_tpir(vectors, labels) > 0.4
    assert resampled_tpir(vectors, labels, sessions=sessions) < 0.2


@pytest.mark.parametrize(
    ("images", "labels", "draws", "why"),
    [
        (np.eye(3), ["a", "b"], 1, "got 3 and 2"),
        (np.eye(3), ["a", "a", "b"], 0, "at least one draw, got 0"),
        (np.eye(3), ["a", "a", "a"], 1, "1 identities"),
        (np.eye(3), ["a", "b", "c"], 1, "0 of them of two sessions"),
    ],
)
def test_resampled_tpir_needs_identities(
    images: np.ndarray, labels: list[str], draws: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        resampled_tpir(images.astype(np.float32), labels, draws=draws)
