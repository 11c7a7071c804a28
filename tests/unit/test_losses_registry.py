"""What every loss of the registry must do."""

import re
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from tests.unit.loss_batches import around
from workers.training.losses import LOSSES, MetricLoss, build_loss
from workers.training.losses.base import PairLoss, negatives, positives
from workers.training.losses.library import LibraryPairs, LibraryProxies

DIMENSION, CLASSES = 8, 3
LABELS = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
GROUPS = [0, 0, 1, 1] * 3

every_loss = pytest.mark.parametrize("name", LOSSES)


@pytest.fixture(autouse=True)
def _one_seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def built(name: str) -> MetricLoss:
    return LOSSES[name](DIMENSION, CLASSES)


def assert_finite(value: Tensor, loss: MetricLoss, raw: Tensor) -> None:
    assert value.shape == ()
    assert value.isfinite()
    torch.autograd.backward(value)
    assert raw.grad is not None
    assert raw.grad.isfinite().all()
    for parameter in loss.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()


@every_loss
def test_one_of_our_own_names_its_paper(name: str) -> None:
    loss = built(name)
    if not isinstance(loss, LibraryPairs | LibraryProxies):
        assert re.search(r"20[0-2]\d", str(type(loss).__doc__))


def test_nothing_that_the_paper_lists_is_missing() -> None:
    assert set(LOSSES) >= {
        "contrastive",
        "triplet",
        "triplet-semihard",
        "triplet-batch-hard",
        "quadruplet",
        "n-pairs",
        "lifted-structure",
        "histogram",
        "multi-similarity",
        "arcface",
        "subcenter-arcface",
        "proxy-anchor",
        "supervised-contrastive",
        "center",
        "magnet",
        "pddm",
        "ladder",
        "gs-trs",
        "dvml",
    }


@every_loss
def test_it_is_finite_and_so_is_its_slope(name: str) -> None:
    loss = built(name)
    raw = torch.randn(len(LABELS), DIMENSION, requires_grad=True)
    value = loss(around(raw, LABELS, GROUPS))
    assert_finite(value, loss, raw)
    assert value > 0


@every_loss
def test_it_follows_the_seed_alone(name: str) -> None:
    raw = torch.randn(len(LABELS), DIMENSION)
    values = []
    for _ in range(2):
        torch.manual_seed(7)
        values.append(built(name)(around(raw, LABELS, GROUPS)).item())
    assert values[0] == values[1]


@every_loss
def test_falling_it_parts_the_identities(name: str) -> None:
    loss = built(name)
    raw = torch.randn(len(LABELS), DIMENSION, requires_grad=True)
    optimizer = torch.optim.Adam([raw, *loss.parameters()], lr=0.05)
    values = []
    for _ in range(40):
        optimizer.zero_grad()
        order = torch.randperm(len(LABELS)).tolist()  # some losses take the first pair they meet
        value = loss(around(raw[order], [LABELS[i] for i in order], [GROUPS[i] for i in order]))
        torch.autograd.backward(value)
        optimizer.step()
        values.append(value.item())
    assert sum(values[-5:]) < sum(values[:5])
    batch = around(raw.detach(), LABELS, GROUPS)
    cosines = batch.embeddings @ batch.embeddings.T
    same = cosines[positives(batch.labels)]
    other = cosines[negatives(batch.labels)]
    assert same.mean() > other.mean() + 0.3


@every_loss
@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        ([0, 1, 2], [0, 0, 0]),
        ([1, 1, 1], [0, 0, 1]),
        ([2], [0]),
    ],
    ids=["one image each", "one identity", "one image"],
)
def test_a_batch_without_a_comparison_is_no_accident(
    name: str, labels: list[int], groups: list[int]
) -> None:
    loss = built(name)
    raw = torch.randn(len(labels), DIMENSION, requires_grad=True)
    value = loss(around(raw, labels, groups))
    assert_finite(value, loss, raw)
    if isinstance(loss, PairLoss):
        assert value == 0
        assert raw.grad is not None
        assert not raw.grad.any()


@every_loss
@pytest.mark.parametrize("labels", [[0, 0, 1], [0, 0, 1, 2], LABELS], ids=["3", "4", "12"])
def test_equal_embeddings_give_no_nan(name: str, labels: list[int]) -> None:
    loss = built(name)
    raw = torch.ones(len(labels), DIMENSION, requires_grad=True)
    assert_finite(loss(around(raw, labels, [0] * len(labels))), loss, raw)


@every_loss
def test_its_state_can_be_carried_over(name: str) -> None:
    raw = torch.randn(len(LABELS), DIMENSION)
    batch = around(raw, LABELS, GROUPS)
    loss = built(name)
    loss(batch)
    other = built(name)
    other.load_state_dict(loss.state_dict())
    torch.manual_seed(3)
    expected = loss(batch).item()
    torch.manual_seed(3)
    assert other(batch).item() == expected


def test_a_sum_trains_the_parameters_of_all_its_terms() -> None:
    loss = build_loss("0.5*subcenter-arcface + multi-similarity", DIMENSION, CLASSES)
    raw = torch.randn(len(LABELS), DIMENSION, requires_grad=True)
    assert_finite(loss(around(raw, LABELS, GROUPS)), loss, raw)
    (proxies,) = loss.parameters()
    assert proxies.grad is not None
    assert proxies.grad.any()
