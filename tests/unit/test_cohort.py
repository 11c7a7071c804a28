"""The local scale, by angles and by hand."""

import numpy as np
import pytest

from recognition import conditioning as module
from recognition.conditioning import NEAREST, Cohort
from recognition.distance import FloatArray
from tests.unit.angles import at_angles


def test_it_is_the_mean_distance_to_the_nearest_ten() -> None:
    cohort = Cohort(at_angles([90] * 4 + [60] * 6 + [180] * 50))
    expected = (4 * 1 + 6 * 0.5) / NEAREST
    assert cohort.scales(at_angles([0])).tolist() == pytest.approx([expected])
    assert cohort.scales(at_angles([0])).dtype == np.float32


def test_a_small_cohort_is_taken_whole() -> None:
    cohort = Cohort(at_angles([90, 60, 180]))
    assert cohort.scales(at_angles([0, 90])).tolist() == pytest.approx(
        [(1 + 0.5 + 2) / 3, (0 + 1 - np.sqrt(0.75) + 1) / 3]
    )


def test_those_who_share_the_identity_are_left_out() -> None:
    cohort = Cohort(at_angles([0, 60, 90]))
    apart = np.array([[True, False, False], [False, True, False], [True, True, True]])
    found = cohort.scales(at_angles([0, 0, 0]), apart).tolist()
    # Nobody is left to the last: 1 leaves a distance as it is.
    assert found == pytest.approx([(0.5 + 1) / 2, (0 + 1) / 2, 1])


def test_those_left_out_make_room_for_farther_ones() -> None:
    cohort = Cohort(at_angles([60] * 10 + [90] * 10))
    apart = np.arange(20)[None] < 4
    assert cohort.scales(at_angles([0]), apart).tolist() == pytest.approx([0.1 * (6 * 0.5 + 4)])


def test_an_embedding_that_lies_in_the_cohort_has_a_scale_above_zero() -> None:
    assert Cohort(at_angles([30] * 20)).scales(at_angles([30])).tolist() == [np.float32(1e-3)]


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    vectors, members = (at_angles(rng.uniform(0, 360, n).tolist()) for n in (25, 40))
    apart = rng.random((25, 40)) < 0.3
    cohort = Cohort(members)
    whole = cohort.scales(vectors), cohort.scales(vectors, apart)
    monkeypatch.setattr(module, "_BLOCK", 4)
    assert cohort.scales(vectors) == pytest.approx(whole[0], abs=1e-6)
    assert cohort.scales(vectors, apart) == pytest.approx(whole[1], abs=1e-6)
    assert cohort.scales(vectors[:0]).shape == (0,)


@pytest.mark.parametrize("vectors", [np.empty((0, 4)), np.ones(4)])
def test_a_cohort_is_of_some(vectors: FloatArray) -> None:
    with pytest.raises(ValueError, match=r"expected a cohort of shape \(m, d\)"):
        Cohort(vectors)
