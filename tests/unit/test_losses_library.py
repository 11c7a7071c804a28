"""The library's losses, configured as we do, against angles worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from tests.unit.loss_batches import around, at, chord, sin
from workers.training.losses import LOSSES, MetricLoss
from workers.training.losses.base import Batch
from workers.training.losses.center import Center


def value(loss: MetricLoss, batch: Batch) -> float:
    return loss.double()(batch).item()


def set_proxies(loss: MetricLoss, *degrees: float, columns: bool = True) -> None:
    """Point the library's only parameter, proxies or weights, at these angles."""
    (proxies,) = loss.parameters()
    directions = at(degrees, range(len(degrees))).embeddings.detach()
    with torch.no_grad():
        proxies.copy_(directions.T if columns else directions)


def test_contrastive() -> None:
    # Positive pair at 60°: d = 1. Of the negative pairs only 60°-90° is nearer than 1.
    expected = 1 / 2 + (1 - chord(30)) ** 2 / 2
    assert value(LOSSES["contrastive"](2, 2), at([0, 60, 90], [0, 0, 1])) == pytest.approx(expected)


def test_triplet_takes_every_triplet_that_violates_the_margin() -> None:
    batch = at([0, 60, 20, 90], [0, 0, 0, 1])
    # Violating: anchor 60° with either positive. All others keep 0.2.
    by_hand = [chord(60) - chord(30) + 0.2, chord(40) - chord(30) + 0.2]
    assert value(LOSSES["triplet"](2, 2), batch) == pytest.approx(sum(by_hand) / 2)


def test_triplet_batch_hard_takes_only_the_farthest_positive() -> None:
    batch = at([0, 60, 20, 90], [0, 0, 0, 1])
    expected = chord(60) - chord(30) + 0.2
    assert value(LOSSES["triplet-batch-hard"](2, 2), batch) == pytest.approx(expected)


def test_triplet_semihard_leaves_negatives_out_that_are_nearer_than_the_positive() -> None:
    # From 0°, the positive at 60°: -65° is farther by less than 0.2, and 20° is nearer.
    batch = at([0, 60, -65, 20], [0, 0, 1, 2])
    expected = chord(60) - chord(65) + 0.2
    assert value(LOSSES["triplet-semihard"](2, 2), batch) == pytest.approx(expected)


def test_n_pairs_uses_the_length_of_the_raw_output() -> None:
    raw = torch.tensor([[2.0, 0], [2, 0], [0, 2], [0, 2]], dtype=torch.float64)
    batch = around(raw, [0, 0, 1, 1], [0] * 4)
    # Dot products 4 with the own positive, 0 with the other's; 0.02 times the squared norm, 4.
    assert value(LOSSES["n-pairs"](2, 2), batch) == pytest.approx(math.log(1 + math.exp(-4)) + 0.08)


def test_lifted_structure() -> None:
    # The negative is at 150° from both.
    smooth = math.log(2 * math.exp(1 - chord(150))) + chord(60)
    batch = at([0, 60, 210], [0, 0, 1])
    assert value(LOSSES["lifted-structure"](2, 2), batch) == pytest.approx(smooth**2 / 2)


def test_histogram_is_the_chance_that_a_negative_is_as_similar_as_a_positive() -> None:
    # Positives at cosine 0; of the negatives half at 0 and half at -1.
    batch = at([0, 90, 180, 270], [0, 0, 1, 1])
    assert value(LOSSES["histogram"](2, 2), batch) == pytest.approx(1 / 2, abs=1e-6)


def test_multi_similarity() -> None:
    # The miner keeps, for 60° and 120°, the positive and the negative, both at cosine 1/2 = base.
    batch = at([0, 60, 120, 180], [0, 0, 1, 1])
    expected = 2 * (math.log(2) / 2 + math.log(2) / 50) / 4
    assert value(LOSSES["multi-similarity"](2, 2), batch) == pytest.approx(expected)


def test_supervised_contrastive() -> None:
    # Each row: positive at cosine 0; negatives at 0 and 1; temperature 0.1.
    batch = at([0, 90, 90, 0], [0, 0, 1, 1])
    expected = math.log(2 + math.exp(10))
    assert value(LOSSES["supervised-contrastive"](2, 2), batch) == pytest.approx(expected)


def test_normalized_softmax() -> None:
    loss = LOSSES["normalized-softmax"](2, 2)
    set_proxies(loss, 0, 90)
    assert value(loss, at([0], [1])) == pytest.approx(math.log(1 + math.exp(20)))


def test_arcface_turns_the_own_proxy_away_by_the_margin() -> None:
    loss = LOSSES["arcface"](2, 2)
    set_proxies(loss, 60, 90)
    expected = 64 * (1 / 2 + sin(28.6))  # cos(90° + m) = -sin(m), and the exponent swallows the 1
    assert value(loss, at([0], [1])) == pytest.approx(expected)


def test_subcenter_arcface_takes_the_nearest_centre_of_each_identity() -> None:
    loss = LOSSES["subcenter-arcface"](2, 2)
    set_proxies(loss, 90, 180, 135, 180, 60, 150)
    expected = 64 * (1 / 2 + sin(28.6))
    assert value(loss, at([0], [0])) == pytest.approx(expected)


def test_proxy_anchor() -> None:
    loss = LOSSES["proxy-anchor"](2, 2)
    set_proxies(loss, 60, 90, columns=False)
    pull = math.log(1 + math.exp(-32 * (1 / 2 - 0.1)))
    push = math.log(1 + math.exp(32 * (0 + 0.1))) / 2  # a mean over both proxies
    assert value(loss, at([0], [0])) == pytest.approx(pull + push)


class Nothing(MetricLoss):
    """No softmax, to see the centre alone."""

    def forward(self, batch: Batch) -> Tensor:
        return batch.raw.sum() * 0


def test_center_pulls_to_a_centre_that_follows() -> None:
    loss = Center(2, 3, Nothing(), weight=1).double()
    batch = at([0, 90, 0], [0, 0, 2])
    assert loss(batch).item() == pytest.approx(1 / 2)  # the centres start at the origin
    # Half of the sum over one more than the count: (1, 1)/3/2 and (1, 0)/2/2.
    moved = [[1 / 6, 1 / 6], [0, 0], [1 / 4, 0]]
    assert loss.centres.tolist() == [pytest.approx(centre) for centre in moved]
    loss.eval()
    away = [(5 / 6) ** 2 + (1 / 6) ** 2] * 2 + [(3 / 4) ** 2]
    assert loss(batch).item() == pytest.approx(sum(away) / 3 / 2)
    assert loss.centres.tolist() == [pytest.approx(centre) for centre in moved]


def test_centres_travel_with_the_state() -> None:
    loss = Center(2, 3, Nothing()).double()
    loss(at([0], [1]))
    restored = Center(2, 3, Nothing()).double()
    restored.load_state_dict(loss.state_dict())
    assert restored.centres.equal(loss.centres)
    assert loss.centres.any()


def test_a_proxy_hit_exactly_has_a_finite_slope() -> None:
    loss = LOSSES["arcface"](2, 2)
    set_proxies(loss, 0, 90)
    batch = at([0, 90], [0, 1])
    torch.autograd.backward(loss.double()(batch))
    assert batch.embeddings.grad is not None
    assert batch.embeddings.grad.isfinite().all()
