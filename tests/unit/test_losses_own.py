"""Our own losses against angles worked out by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from tests.unit.loss_batches import at, cos, sin
from workers.training.losses import MetricLoss
from workers.training.losses.base import Batch
from workers.training.losses.dvml import DeepVariational
from workers.training.losses.gs_trs import GroupSensitiveTriplet
from workers.training.losses.ladder import Ladder
from workers.training.losses.magnet import Magnet
from workers.training.losses.pddm import Pddm, PositionDependentMetric, hard_quadruplets
from workers.training.losses.quadruplet import Quadruplet


def squared(degrees: float) -> float:
    """Squared distance of two unit vectors at this angle."""
    return 2 - 2 * cos(degrees)


def set_to_zero(module: nn.Module) -> None:
    for parameter in module.parameters():
        nn.init.zeros_(parameter)


# Quadruplet: positives 60° apart, so d² = 1; strangers at 90° and 120°.


def test_quadruplet() -> None:
    batch = at([0, 60, 90, 120], [0, 0, 1, 2])
    from_60 = 1 - squared(30) + 0.4  # from 0° the nearest negative is far enough
    strangers = 1 - squared(30) + 0.2
    assert Quadruplet()(batch).item() == pytest.approx((from_60 + 2 * strangers) / 2)


def test_the_strangers_of_a_quadruplet_are_of_other_identities_than_its_own() -> None:
    batch = at([0, 60, 180, 240, 270], [0, 0, 1, 1, 2])
    strangers = 1 - squared(30) + 0.2  # of identity 0; those of identity 1, 0° and 270°, are far
    from_240 = 1 - squared(30) + 0.4  # all others have no negative near
    assert Quadruplet()(batch).item() == pytest.approx((2 * strangers + from_240) / 4)


def test_with_two_identities_a_quadruplet_is_a_triplet() -> None:
    batch = at([0, 60, 90], [0, 0, 1])
    assert Quadruplet()(batch).item() == pytest.approx((1 - squared(30) + 0.4) / 2)


# Magnet: two clusters, each ±30° about its middle, so means have length cos 30°.

OWN = sin(30) ** 2
VARIANCE = 4 * OWN / 3
NEAR = cos(30) ** 2 + (cos(30) - sin(30)) ** 2  # of 30° to the mean about 90°


def test_magnet() -> None:
    inner = OWN / (2 * VARIANCE) + 1 - NEAR / (2 * VARIANCE)  # the outer rows are far enough
    batch = at([-30, 30, 60, 120], [0, 0, 1, 1])
    assert Magnet()(batch).item() == pytest.approx(2 * inner / 4)


def test_the_clusters_of_magnet_are_the_groups_of_an_identity() -> None:
    # Identity 0 has both clusters now: only the lone image of identity 1, at 45°, repels.
    batch = at([-30, 30, 60, 120, 45], [0, 0, 0, 0, 1], groups=[0, 0, 1, 1, 0])
    to_45 = [squared(75), squared(15)]
    hinges = [OWN / (2 * VARIANCE) + 1 - d / (2 * VARIANCE) for d in to_45]
    assert Magnet()(batch).item() == pytest.approx(sum(max(h, 0) for h in hinges) / 2)


def test_magnet_survives_clusters_that_are_points() -> None:
    batch = at([0, 0, 2, 2], [0, 0, 1, 1])
    expected = 1 - squared(2) / (2 * 0.01)  # the variance has a floor
    assert Magnet()(batch).item() == pytest.approx(expected)


# Ladder


def test_ladder() -> None:
    batch = at(
        [0, 20, 40, 60], [0, 0, 0, 1], background=[[0.0], [0.0], [1.0], [1.0]]
    )  # near: 0° and 20°, 40° and 60°
    identity = [0.0, 0.2 - cos(20) + cos(40), 0.2 - cos(40) + cos(20)]  # from 0°, 20°, 40°
    background = [0.0, 0.01 - cos(20) + cos(20)]  # from 0°, 20°
    expected = sum(identity) / 3 + 0.25 * sum(background) / 2
    assert Ladder()(batch).item() == pytest.approx(expected)


def test_ladder_without_background_variables_has_one_rung() -> None:
    identity = [0.0, 0.2 - cos(20) + cos(40), 0.2 - cos(40) + cos(20)]
    batch = at([0, 20, 40, 60], [0, 0, 0, 1])
    assert Ladder()(batch).item() == pytest.approx(sum(identity) / 3)


# GS-TRS: an identity of two groups about 0° and 90°, each ±30°, and a stranger at 225°.


def test_gs_trs() -> None:
    loss = GroupSensitiveTriplet(margin=2, group_margin=1, identity_weight=0.75)
    batch = at([-30, 30, 60, 120, 225], [0, 0, 0, 0, 1], groups=[0, 0, 1, 1, 0])
    within = OWN - NEAR + 1
    centre = cos(30) / 2  # in x and in y
    outer = (cos(30) - centre) ** 2 + (sin(30) + centre) ** 2  # of -30° and 120° to it
    stranger = 2 * (cos(45) + centre) ** 2
    between = 2 * (outer - stranger + 2) / 4  # 30° and 60° are near enough
    assert loss(batch).item() == pytest.approx(0.75 * between + 0.25 * within)


def test_gs_trs_without_groups_only_parts_identities() -> None:
    loss = GroupSensitiveTriplet(margin=1, identity_weight=0.75)
    batch = at([-30, 30, 90], [0, 0, 1])
    expected = OWN - (cos(30) ** 2 + 1) + 1.0 + 1.0
    assert loss(batch).item() == pytest.approx(0.75 * max(expected - 1, 0))


# PDDM


def test_the_pddm_similarity_depends_on_difference_and_position() -> None:
    unit = PositionDependentMetric(2).double()
    set_to_zero(unit)
    nn.init.eye_(unit.difference.weight)
    nn.init.eye_(unit.position.weight)
    nn.init.constant_(unit.score.bias, 0.25)
    with torch.no_grad():
        unit.score.weight[0, 0] = 1  # the first coordinate of the joint direction
        unit.joint.weight[:, 2:] = torch.eye(2)  # … which is that of the position
    x = at([0, 0], [0, 0]).embeddings
    y = at([0, 90], [0, 0]).embeddings
    assert unit(x, y).tolist() == pytest.approx([1.25, cos(45) + 0.25])
    with torch.no_grad():
        unit.joint.weight[:] = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 0]])  # … of the difference
    assert unit(x, y).tolist() == pytest.approx([0.25, cos(45) + 0.25])


class Dot(nn.Module):
    """A similarity that needs no learning."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x * y).sum(-1)


def test_quadruplets_are_hard_by_the_similarity() -> None:
    batch = at([0, 10, 50, 80, -20], [0, 0, 0, 1, 2])
    rows = hard_quadruplets(Dot(), batch.embeddings, batch.labels)
    assert [row.tolist() for row in rows] == [
        [0, 1, 2],
        [2, 2, 0],  # the farthest positive
        [4, 4, 3],  # the negative nearest to i
        [3, 3, 4],  # and to j
    ]


def test_pddm_hinges_on_the_similarity_and_on_the_distance() -> None:
    loss = Pddm(2)
    loss.similarity = Dot()
    batch = at([0, 60, 90, -20], [0, 0, 1, 2])  # negatives 20° from the one and 30° from the other
    learned = (0.5 - cos(60) + cos(20)) + (0.5 - cos(60) + cos(30))
    euclidean = (1 + 1 - squared(20)) + (1 + 1 - squared(30))
    assert loss(batch).item() == pytest.approx(learned + 0.5 * euclidean)


# DVML


class First(MetricLoss):
    """A metric loss that only shows what it was given."""

    def forward(self, batch: Batch) -> Tensor:
        return batch.embeddings[0, 0] + 0 * batch.raw.sum()


def variational(spread: float = 0) -> DeepVariational:
    loss = DeepVariational(2, First(), spread=spread).double()
    set_to_zero(loss)
    return loss


SPLAYED = at([-60, 60, 120, 240], [0, 0, 1, 1])  # centres at ±(1/2, 0)


def test_dvml_sums_divergence_reconstruction_and_the_metric_of_drawn_and_true_embeddings() -> None:
    # The prior is met; the decoder answers 0, 1 away; the centre's direction is 0°, the row's -60°.
    assert variational()(SPLAYED).item() == pytest.approx(0 + 1 + 0.1 * 1 + cos(60))


def test_the_divergence_of_dvml_is_that_of_normal_distributions() -> None:
    loss = variational()
    with torch.no_grad():
        loss.variation.bias.copy_(torch.tensor([1, 1, math.log(2), math.log(2)]))
    divergence = (1 + 2 - 1 - math.log(2)) / 2
    assert loss(SPLAYED).item() == pytest.approx(divergence + 1 + 0.1 + cos(60))


def test_what_dvml_draws_has_the_deviation_of_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "randn_like", torch.ones_like)
    loss = variational(spread=math.sqrt(2) / 4)  # scaled by 1/4 in two dimensions
    with torch.no_grad():
        loss.variation.bias[2:] = math.log(2**2)
    divergence = (4 - 1 - math.log(4)) / 2
    drawn = (0.5 + 2 / 4, 2 / 4)  # the centre and two quarters in each direction
    expected = divergence + 1 + 0.1 * drawn[0] / math.hypot(*drawn) + cos(60)
    assert loss(SPLAYED).item() == pytest.approx(expected)


def test_dvml_draws_by_the_seed() -> None:
    values = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        values.append(variational(spread=0.5)(SPLAYED).item())
    assert values[0] == values[1] != values[2]
