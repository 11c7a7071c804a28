"""The size of a batch follows what passes of it take."""

from collections.abc import Callable

import pytest

from workers.service.best_batch import BestBatch


def after(best: BestBatch, seconds: Callable[[int], float], passes: int = 100) -> int:
    """Return the size after so many full passes, each as long as ``seconds`` says of its size."""
    for _ in range(passes):
        best.passed(best.size, seconds(best.size))
    return best.size


def test_it_doubles_while_images_per_second_grow() -> None:
    # Up to 16 images a pass costs hardly more for each; from there on, as much as one alone.
    assert after(BestBatch(1024), lambda n: 1.0 + 0.1 * max(n, 16) + max(0, n - 16)) == 16


def test_where_a_batch_saves_nothing_images_go_one_by_one() -> None:
    assert after(BestBatch(1024), lambda n: 0.01 * n) == 1


def test_one_size_without_a_gain_does_not_end_the_search() -> None:
    held_up = {2: 2.5}
    assert after(BestBatch(8), lambda n: held_up.get(n, 1.0)) == 8


@pytest.mark.parametrize("most", [1, 3, 8])
def test_the_maximum_is_never_passed(most: int) -> None:
    best = BestBatch(most)
    sizes = {after(best, lambda _: 1.0, passes=1) for _ in range(100)}
    assert max(sizes) <= most
    assert best.size == 1 << (most.bit_length() - 1)


def test_the_quickest_pass_of_a_size_counts() -> None:
    slow_at_first = iter([9.0, 1.0, 1.0, 1.0] * 100)
    assert after(BestBatch(4), lambda _: next(slow_at_first)) == 4


def test_passes_that_were_not_full_tell_nothing() -> None:
    best = BestBatch(64)
    after(best, lambda _: 1.0, passes=4)
    assert best.size == 2
    for _ in range(100):
        best.passed(1, 1.0)
    assert best.size == 2


def test_what_does_not_fit_into_memory_is_not_tried_again() -> None:
    best = BestBatch(1024)
    while best.size < 32:
        best.passed(best.size, 1.0)
    best.too_large(32)
    assert best.size == 16
    assert after(best, lambda _: 1.0) == 16
    best.too_large(1)
    assert best.size == 1
