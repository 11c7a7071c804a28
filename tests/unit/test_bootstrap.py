import math

import numpy as np
import pytest

from recognition.bootstrap import IdentityDraws, interval


def test_an_identity_is_drawn_with_all_its_probes() -> None:
    draws = IdentityDraws(["a", "b", "c"], draws=200)
    labels = ["c", "a", "c", "b"]
    drawn = [[labels[i] for i in which] for which in draws.of(labels)]
    assert len(drawn) == len(draws) == 200
    for names in drawn:
        assert names.count("c") % 2 == 0
        assert names.count("a") + names.count("b") + names.count("c") // 2 == 3


def test_the_same_identities_are_drawn_for_every_trial() -> None:
    draws = IdentityDraws(["a", "b", "c"], draws=50)
    some, others = list(draws.of(["a"])), list(draws.of(["b", "a"]))
    assert [len(which) for which in some] == [(which == 1).sum() for which in others]
    again = [which.tolist() for which in IdentityDraws(["c", "b", "a"], draws=50).of(["a"])]
    assert again == [which.tolist() for which in some]


def test_the_spread_is_that_of_identities_not_of_images() -> None:
    """Ten identities, always or never found: 1000 images say no more than ten."""
    labels = [str(i) for i in range(10) for _ in range(100)]
    values = np.array([float(i % 2) for i in range(10) for _ in range(100)])[:, None]
    means = IdentityDraws(labels, draws=4000).means(values, labels)
    assert means.std() == pytest.approx(math.sqrt(0.25 / 10), rel=0.1)


def test_interval_leaves_out_what_could_not_be_measured() -> None:
    assert interval(np.array([np.nan, 1.0, 1.0])) == (1, 1)
    assert all(map(math.isnan, interval(np.array([np.nan]))))


def test_misuse() -> None:
    with pytest.raises(ValueError, match="identities and at least one draw, got 0 and 1000"):
        IdentityDraws([])
    with pytest.raises(ValueError, match="got 1 and 0"):
        IdentityDraws(["a"], draws=0)
    with pytest.raises(ValueError, match="not among the identities: b, z"):
        IdentityDraws(["a", "c"]).means(np.zeros((3, 1)), ["z", "b", "a"])
