"""Background variables as features, and the variance that they explain."""

import math

import numpy as np
import pytest
import torch

from schemas.event import Scalar
from workers.training.auxiliary import comparable, explained, features
from workers.training.tasks import parse_task
from workers.training.variables import LearnedVariable, fit_variable, make_targets

NAN = math.nan


def variable(text: str, *values: Scalar) -> LearnedVariable:
    return fit_variable("x", values, parse_task(text).kind)


@pytest.mark.parametrize(
    ("text", "values", "near", "far"),
    [
        ("x", ("a", "b"), ("a", "a"), ("a", "b")),
        ("x", ("a", "b", "c"), ("c", "c"), ("b", "c")),
        ("x:ordinal(a,b,c)", ("a", "b", "c"), ("b", "b"), ("a", "c")),
        ("x:continuous", (-1, 0, 1), (1, 1), (-2 * 1.4826, 2 * 1.4826)),
        ("x:cyclic(24)", (1, 2), (23.999, 0.001), (9, 21)),
    ],
)
def test_differences_go_from_0_to_1(
    text: str, values: tuple[Scalar, ...], near: tuple[Scalar, ...], far: tuple[Scalar, ...]
) -> None:
    known = variable(text, *values)

    def gap(pair: tuple[Scalar, ...]) -> float:
        first, second = features(known, torch.tensor([known.encode(value) for value in pair]))
        return float((first - second).abs().sum())

    assert gap(near) == pytest.approx(0, abs=1e-3)
    assert gap(far) == pytest.approx(1)


def test_missing_values_are_missing_in_every_column() -> None:
    backgrounds: list[dict[str, Scalar]] = [{"s": "a", "h": 6}, {"s": "b"}, {"s": "c", "h": 0}]
    kinds = {"s": None, "h": parse_task("h:cyclic(24)").kind}
    columns = comparable(make_targets(backgrounds, np.arange(3), kinds))
    part = 1 / math.sqrt(8)
    expected = [[0.5, 0, 0, part, 0], [0, 0.5, 0, NAN, NAN], [0, 0, 0.5, 0, part]]
    np.testing.assert_allclose(columns.numpy(), expected, atol=1e-7)


def test_no_variables_no_columns() -> None:
    assert comparable(make_targets([{}, {}], np.arange(2), {})).shape == (2, 0)


ONE_HOT = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])


@pytest.mark.parametrize(
    ("embeddings", "share"),
    [
        ([[1.0, 0], [1, 0], [-1, 0], [-1, 0]], 1),
        ([[1.0, 0], [-1, 0], [1, 0], [-1, 0]], 0),
        # Group means 2 and -2, deviations 1 within: 16 of 20.
        ([[3.0, 0], [1, 0], [-1, 0], [-3, 0]], 0.8),
        ([[5.0, 5]] * 4, 0),
    ],
)
def test_of_names_it_is_the_variance_between(embeddings: list[list[float]], share: float) -> None:
    assert float(explained(torch.tensor(embeddings), ONE_HOT)) == pytest.approx(share, abs=2e-3)


def test_rows_without_the_variable_are_left_out() -> None:
    known = torch.cat([ONE_HOT, torch.full((1, 2), NAN)])
    embeddings = torch.tensor([[3.0], [1], [-1], [-3], [1000]], requires_grad=True)
    share = explained(embeddings, known)
    torch.autograd.backward(share)
    assert share.item() == pytest.approx(0.8, abs=2e-3)
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()
    assert embeddings.grad[4].item() == 0


def test_a_variable_of_one_value_or_none_explains_nothing() -> None:
    embeddings = torch.tensor([[3.0, 1], [1, 0], [-1, 2]], requires_grad=True)
    for known in (torch.ones(3, 1), torch.full((3, 1), NAN)):
        share = explained(embeddings, known)
        torch.autograd.backward(share)
        assert share.item() == 0
        assert embeddings.grad is not None
        assert embeddings.grad.isfinite().all()
