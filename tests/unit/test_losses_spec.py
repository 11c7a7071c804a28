"""The word that names a loss."""

import doctest

import pytest
import torch

from schemas.errors import SetupError
from tests.unit.loss_batches import at
from workers.training.losses import LOSSES, build_loss, parse_loss
from workers.training.losses import registry as spec_module


@pytest.mark.parametrize(
    ("spec", "weights"),
    [
        ("triplet", {"triplet": 1}),
        ("subcenter-arcface+multi-similarity", {"subcenter-arcface": 1, "multi-similarity": 1}),
        (" 0.5 * triplet + arcface ", {"triplet": 0.5, "arcface": 1}),
        ("1e-2*center+3*dvml", {"center": 0.01, "dvml": 3}),
    ],
)
def test_terms_and_weights(spec: str, weights: dict[str, float]) -> None:
    assert parse_loss(spec) == weights
    assert list(parse_loss(spec)) == list(weights)


def test_the_sum_is_weighted() -> None:
    batch = at([0, 60, 90, 120], [0, 0, 1, 2])
    parts = {name: LOSSES[name](2, 3)(batch) for name in ("triplet", "quadruplet")}
    expected = 0.25 * parts["triplet"] + 2 * parts["quadruplet"]
    torch.testing.assert_close(build_loss("0.25*triplet+2*quadruplet", 2, 3)(batch), expected)


@pytest.mark.parametrize("spec", ["", "triplet+", "tripplet", "0.5*tripplet", "triplet,arcface"])
def test_an_unknown_name_is_told_with_the_known_ones(spec: str) -> None:
    with pytest.raises(
        SetupError, match=r"no loss '.*' in .*; known: .*triplet-batch-hard"
    ) as told:
        build_loss(spec, 2, 2)
    assert repr(spec) in str(told.value)


@pytest.mark.parametrize("weight", ["", "half", "0", "-1", "nan", "inf", "2*3"])
def test_a_weight_is_a_positive_number(weight: str) -> None:
    with pytest.raises(SetupError, match="no positive number") as told:
        parse_loss(f"{weight}*triplet")
    assert repr(weight) in str(told.value)


def test_a_loss_is_named_once() -> None:
    with pytest.raises(SetupError, match="'triplet' is named twice"):
        parse_loss("triplet+0.5*triplet")


def test_the_example_in_the_docstring_runs() -> None:
    found = doctest.testmod(spec_module)
    assert found.attempted
    assert not found.failed
