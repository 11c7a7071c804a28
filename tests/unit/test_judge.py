"""Two clusters on a line of distances, where strangers of the second lie twice as far."""

import numpy as np
import pytest

from recognition.conditioning import Placed
from recognition.half_samples import HALVES
from recognition.judge import judge
from recognition.trials import draw_trials
from tests.unit.angles import at_angles, trial


def test_the_tpir_of_each_trial_by_hand() -> None:
    # By angles: a, b and c are enrolled at 0, 120 and 240 degrees.
    degrees = [0, 120, 240, 10, 125, 300, 60, 181]
    names = np.array(["a", "b", "c", "a", "b", "c", "x", "y"])
    placed = Placed(at_angles(degrees), np.ones(8, np.float32), np.zeros(8, np.intp))
    every = trial([0, 1, 2], [3, 4, 5, 6, 7])
    # c's probe lies 60 degrees from both a and c, as far as x from a and b; y is 59 from c.
    flat = np.ones((1, 1))
    assert judge(placed, flat, names, [every], 0.05).whole.tolist() == [pytest.approx(2 / 3)]
    near_x = trial([0, 1, 2], [3, 4, 6])
    only_far = trial([1], [4, 3, 5])  # b is known; of a and c nobody is enrolled
    assert judge(placed, flat, names, [every, near_x, only_far], 0.05).whole.tolist() == [
        pytest.approx(2 / 3),
        1,
        1,
    ]


def test_each_cluster_has_a_threshold_of_its_own() -> None:
    """By night strangers lie far and so do those who are known; one threshold loses them."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(40), 4)
    night = np.arange(160) % 2
    noise = np.where(night == 0, 0.15, 0.6)[:, None]
    vectors = rng.normal(size=(40, 12))[who] + noise * rng.normal(size=(160, 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = who.astype(np.str_)
    # By night an image is three times as far from everything.
    scales = np.where(night == 0, 1, 1 / 9).astype(np.float32)
    gallery = [i for i in range(160) if who[i] < 24 and i % 4 == 0]
    trials = [trial(gallery, [i for i in range(160) if i not in gallery])]
    together = Placed(vectors.astype(np.float32), scales, np.zeros(160, np.intp))
    apart = Placed(together.vectors, scales, night.astype(np.intp))
    one = judge(together, np.ones((1, 1)), names, trials, 0.05).whole[0]
    two = judge(apart, np.ones((2, 2)), names, trials, 0.05).whole[0]
    assert two > one + 0.1


def test_a_gallery_of_one_identity_can_be_judged() -> None:
    """Its own images find no stranger's entry: they are infinitely far from one."""
    placed = Placed(at_angles([0, 10, 90, 100]), np.ones(4, np.float32), np.arange(4) % 2)
    names = np.array(["a", "a", "b", "b"])
    found = judge(placed, np.ones((2, 2)), names, [trial([0], [1, 2, 3])], 0.05)
    assert found.whole.tolist() == [1]
    assert found.halves.size == 0
    assert found.identities == 2


def test_in_a_half_nobody_else_is_there() -> None:
    """Images of the other half lie on top of its own: they are no entries, and no probes."""
    names = np.array([f"i{i // 4}" for i in range(32)])
    angles = np.array([10 * (i // 4) + (i % 4) / 10 for i in range(32)])
    placed = Placed(at_angles(angles.tolist()), np.ones(32, np.float32), np.zeros(32, np.intp))
    trials = draw_trials(names.tolist(), draws=40, shots=1)
    found = judge(placed, np.ones((1, 1)), names, trials, 0.05)
    assert found.identities == 8
    assert found.halves.shape == (HALVES,)
    assert found.halves.tolist() == pytest.approx([1] * HALVES)  # of four far from each other
    again = judge(placed, np.ones((1, 1)), names, trials, 0.05, seed=1)
    assert again.whole.tolist() == found.whole.tolist()


def test_a_half_of_known_or_of_strangers_alone_cannot_be_judged() -> None:
    """One trial, in which two of four are enrolled: some half has both of them, or neither."""
    names = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])
    placed = Placed(
        at_angles([0, 1, 90, 91, 180, 181, 270, 271]),
        np.ones(8, np.float32),
        np.zeros(8, np.intp),
    )
    trials = [trial([0, 2], [1, 3, 4, 5, 6, 7])]
    found = [judge(placed, np.ones((1, 1)), names, trials, 0.05, seed=s) for s in range(4)]
    assert all(each.whole.tolist() == [1] for each in found)
    # a and b can be enrolled and are paired: each half has one of them, and a stranger.
    assert all(each.halves.tolist() == [1] * HALVES for each in found)
    trials = [trial([0, 2, 4], [1, 3, 5, 6, 7])]
    assert any(np.isnan(judge(placed, np.ones((1, 1)), names, trials, 0.05).halves))
