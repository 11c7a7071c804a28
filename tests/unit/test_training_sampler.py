"""P×K batches: the same for the same step, all identities equally often, groups spread."""

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.training.sampler import IdentitySampler

LABELS = np.array([7] * 5 + [3] * 4 + [9] * 6 + [1] * 3 + [4] * 8)


def sampler(
    labels: NDArray[np.int64] = LABELS,
    groups: NDArray[np.int64] | None = None,
    identities: int = 3,
    images: int = 2,
    seed: int = 0,
) -> IdentitySampler:
    return IdentitySampler(labels, groups, identities, images, seed)


def test_a_batch_follows_from_seed_and_step_alone() -> None:
    forwards = [sampler().draw(step) for step in range(20)]
    backwards = [sampler().draw(step) for step in reversed(range(20))][::-1]
    np.testing.assert_array_equal(forwards, backwards)


def test_other_steps_and_other_seeds_give_other_batches() -> None:
    batches = {tuple(sampler(seed=seed).draw(step)) for seed in range(5) for step in range(20)}
    assert len(batches) == 100


def test_the_images_of_an_identity_stand_together_and_differ() -> None:
    batch = sampler(images=3).draw(0).reshape(3, 3)
    assert (LABELS[batch] == LABELS[batch][:, :1]).all()
    assert len(set(LABELS[batch][:, 0])) == 3
    assert len(set(batch.ravel())) == 9


def test_fewer_identities_than_asked_for_make_up_every_batch() -> None:
    for step in range(5):
        assert sorted(LABELS[sampler(identities=16, images=1).draw(step)]) == [1, 3, 4, 7, 9]


def test_an_identity_with_few_images_repeats_them_evenly() -> None:
    batch = sampler(np.array([0, 1, 1, 1]), identities=2, images=8).draw(0)
    counts = np.bincount(batch)
    assert counts[0] == 8
    assert sorted(counts[1:]) == [2, 3, 3]


def test_every_image_comes_up() -> None:
    drawn = np.concatenate([sampler().draw(step) for step in range(200)])
    assert set(drawn) == set(range(len(LABELS)))


def test_images_are_spread_over_the_groups_of_their_identity() -> None:
    labels = np.zeros(100, np.int64)
    groups = np.array([0] * 96 + [1, 2, 3, 3])  # three rare backgrounds beside a common one
    plain, spread = (
        sampler(labels, groups=given, identities=1, images=4) for given in (None, groups)
    )
    assert all(set(groups[spread.draw(step)]) == {0, 1, 2, 3} for step in range(20))
    assert any(set(groups[plain.draw(step)]) == {0} for step in range(20))


def test_more_images_than_groups_take_a_second_of_each() -> None:
    groups = np.array([5] * 20 + [6] * 3 + [7])
    batch = sampler(np.zeros(24, np.int64), groups, identities=1, images=5).draw(3)
    assert sorted(groups[batch]) == [5, 5, 6, 6, 7]
    assert len(set(batch)) == 5


def test_over_time_the_image_of_a_group_is_any_of_its_images() -> None:
    groups = np.array([0] * 6 + [1] * 2)
    one = sampler(np.zeros(8, np.int64), groups, identities=1, images=2)
    assert {int(i) for step in range(100) for i in one.draw(step)} == set(range(8))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": np.empty(0, np.int64)}, "non-empty"),
        ({"labels": np.zeros((2, 2), np.int64)}, "vector"),
        ({"groups": np.zeros(3, np.int64)}, "groups"),
        ({"identities": 0}, "empty"),
        ({"images": 0}, "empty"),
        ({"seed": -1}, "seed"),
    ],
)
def test_misuse_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sampler(**wrong)  # type: ignore[arg-type]  # wrong on purpose
