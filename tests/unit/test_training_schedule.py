"""The learning rate, by hand."""

import pytest

from workers.training.learner import warm_up_then_cosine


def test_it_rises_and_falls() -> None:
    factor = warm_up_then_cosine(10, 0.2)
    # Two steps up; then half a cosine over the eight that are left.
    expected = {0: 0.5, 1: 1, 2: 1, 4: 0.5 * (1 + 0.5**0.5), 6: 0.5, 8: 0.5 * (1 - 0.5**0.5)}
    assert {step: factor(step) for step in expected} == pytest.approx(expected)


def test_it_ends_at_nothing_and_stays_there() -> None:
    factor = warm_up_then_cosine(10, 0.2)
    assert 0 < factor(9) < 0.05
    assert [factor(10), factor(11), factor(1000)] == pytest.approx([0, 0, 0])


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_short_run_starts_at_the_highest_rate(steps: int) -> None:
    assert warm_up_then_cosine(steps, 0.15)(0) == 1
