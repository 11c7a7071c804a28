"""The standard error against the textbook, and its intervals against what is really so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.conditioning import Placed
from recognition.half_samples import HALVES, TrialScores, balanced_halves, difference
from recognition.judge import judge
from recognition.trials import draw_trials
from tests.property.examples import examples

seeds = st.integers(0, 2**32 - 1)
numbers = st.floats(0, 1, allow_subnormal=False)


@given(st.integers(4, 90), st.integers(2, 90), seeds)
def test_everyone_is_in_half_of_the_halves(n: int, able: int, seed: int) -> None:
    can = np.arange(n) < able
    members = balanced_halves(can, seed)
    assert members.shape == (HALVES, n)
    assert (members.sum(axis=0) == HALVES // 2).all()
    assert set(members.sum(axis=1).tolist()) <= {n // 2, (n + 1) // 2}
    both = np.count_nonzero(can)
    assert set(members[:, can].sum(axis=1).tolist()) <= {both // 2, (both + 1) // 2}


@given(st.lists(numbers, min_size=4, max_size=38).filter(lambda x: len(x) % 2 == 0), seeds)
def test_of_a_mean_it_is_the_textbooks(values: list[float], seed: int) -> None:
    """Wolter, §3.2: balanced, the halves give Σ (x_i − x_j)²/n² over the pairs, exactly."""
    x, n = np.array(values), len(values)
    members = balanced_halves(np.ones(n, np.bool_), seed)
    means = np.array([x[row].mean() for row in members])
    apart = [i for i in range(1, n) if not (members[:, 0] == members[:, i]).any()]
    assert len(apart) == 1  # the other of the first pair is where the first is not
    pairs = {frozenset((i, j)) for i in range(n) for j in range(i) if opposed(members, i, j)}
    assert len(pairs) == n // 2
    expected = sum((x[i] - x[j]) ** 2 for i, j in map(sorted, pairs)) / n**2
    found = difference(*scores(x, means))
    assert found.error**2 == pytest.approx(expected, abs=1e-12)
    assert found.freedom == n // 2


def opposed(members: np.ndarray, i: int, j: int) -> bool:
    return bool((members[:, i] != members[:, j]).all())


def scores(whole: np.ndarray, halves: np.ndarray) -> tuple[TrialScores, TrialScores]:
    """Return these scores, and what lies at 0."""
    return (
        TrialScores(whole, halves, whole.size),
        TrialScores(np.zeros_like(whole), np.zeros_like(halves), whole.size),
    )


@examples(20)
@given(st.sampled_from([10, 26, 60, 121]), st.integers(0, 99))
def test_of_a_mean_its_square_is_that_of_the_mean_in_the_long_run(n: int, seed: int) -> None:
    """Also of more pairs than columns, where balance is partial, and of an odd number."""
    rng = np.random.default_rng(seed)
    x, can = rng.random(n), np.ones(n, np.bool_)
    squares = []
    for again in range(60):
        means = np.array([x[row].mean() for row in balanced_halves(can, again)])
        squares.append(difference(*scores(x, means)).error ** 2)
    assert np.mean(squares) == pytest.approx(x.var(ddof=1) / n, rel=0.25)


IDENTITIES, IMAGES, SIZE = 20, 6, 12


def population(rng: np.random.Generator) -> tuple[np.ndarray, list[str]]:
    """Draw identities of a known population: where each lies, and how far it scatters."""
    who = np.repeat(np.arange(IDENTITIES), IMAGES)
    spread = rng.uniform(0.4, 1.2, IDENTITIES)[who, None]
    images = rng.normal(size=(IDENTITIES, SIZE))[who] + spread * rng.normal(size=(who.size, SIZE))
    return images, [f"i{i:02d}" for i in who]


def placed(images: np.ndarray) -> Placed:
    unit = images / np.linalg.norm(images, axis=1, keepdims=True)
    n = len(unit)
    return Placed(unit.astype(np.float32), np.ones(n, np.float32), np.zeros(n, np.intp))


def test_intervals_hold_what_is_really_so() -> None:
    """Night moves every other image; what not to see it gains, over 80 draws of a population.

    The deviation over trials over the root of the number of identities holds it in two thirds.
    """
    gains, errors, held = [], [], []
    for seed in range(80):
        images, names = population(np.random.default_rng(seed))
        moved = images.copy()
        moved[::2, 0] += 2
        trials = draw_trials(names, draws=32, seed=seed)
        without, with_it = (
            judge(placed(each), np.ones((1, 1)), np.array(names), trials, 0.05)
            for each in (images, moved)
        )
        found = difference(without, with_it)
        gains.append(found.mean)
        errors.append(found.error)
        held.append(found.interval)
    truth, deviation = np.mean(gains), np.std(gains, ddof=1)
    covered = np.mean([low <= truth <= high for low, high in held])
    assert covered >= 0.9
    # Neither far too sure nor far too unsure: a half is another, harder task.
    typical = np.sqrt(np.mean(np.square(errors)))
    assert 0.85 * deviation < typical < 1.75 * deviation
