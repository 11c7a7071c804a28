"""Pooling, by hand."""

import pytest
import torch
from torch import Tensor

from workers.model.pooling import (
    Average,
    GeneralisedMean,
    Grid,
    Pooling,
    build_pooling,
    pooled_size,
)


def maps() -> Tensor:
    return 0.1 + 2 * torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))


def generalised(power: float) -> GeneralisedMean:
    pooling = GeneralisedMean()
    pooling.power.data.fill_(power)
    return pooling


def test_average() -> None:
    features = torch.tensor([[1.0, 2, 3, 6], [0, 0, 0, -4]]).view(1, 2, 2, 2)
    assert Average()(features).tolist() == [[3, -1]]


def test_power_1_is_the_mean() -> None:
    torch.testing.assert_close(generalised(1)(maps()), maps().mean((2, 3)))


def test_a_large_power_is_nearly_the_maximum() -> None:
    highest = maps().amax((2, 3))
    torch.testing.assert_close(generalised(80)(maps()), highest, rtol=0.05, atol=0)
    assert (generalised(3)(maps()) < highest).all()


def test_generalised_mean_by_hand() -> None:
    features = torch.tensor([1.0, 2, -5, 0]).view(1, 1, 2, 2)
    assert GeneralisedMean()(features).item() == pytest.approx((9 / 4) ** (1 / 3))


def test_the_power_is_learned() -> None:
    pooling = GeneralisedMean()
    torch.autograd.backward(pooling(maps()).sum())
    assert pooling.power.grad is not None
    assert pooling.power.grad.item() > 0, "a larger power gives more"


def test_nothing_but_zero_has_a_finite_gradient() -> None:
    features = torch.zeros(1, 2, 3, 3, requires_grad=True)
    torch.autograd.backward(GeneralisedMean()(features).sum())
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_a_grid_that_divides() -> None:
    features = torch.arange(8.0).view(1, 1, 2, 4)
    assert Grid(1, 2)(features).tolist() == [[(0 + 1 + 4 + 5) / 4, (2 + 3 + 6 + 7) / 4]]


def test_cells_of_a_grid_that_does_not_divide_overlap() -> None:
    features = torch.arange(15.0).view(1, 1, 3, 5)
    # Rows 0-1 and 1-2, columns 0-2 and 2-4.
    assert Grid(2, 2)(features).tolist() == [[3.5, 5.5, 8.5, 10.5]]


def test_a_grid_finer_than_the_map() -> None:
    features = torch.tensor([1.0, 2]).view(1, 1, 1, 2)
    assert Grid(2, 2)(features).tolist() == [[1, 2, 1, 2]]


def test_cells_of_one_channel_lie_together() -> None:
    features = torch.stack([torch.zeros(2, 2), torch.ones(2, 2)])[None]
    assert Grid(1, 2)(features).tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize("pooling", Pooling)
def test_sizes_and_types(pooling: Pooling) -> None:
    pooled = build_pooling(pooling, (3, 2))(maps().bfloat16())
    assert pooled.dtype == torch.float32
    assert pooled.shape == (2, pooled_size(pooling, (3, 2), 3))
    assert pooled.shape[1] == (18 if pooling is Pooling.GRID else 3)
