"""One step of a run: what it repeats, what it leaves alone, and what reaches the network."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from schemas.errors import SetupError
from tests.unit.training_runs import learner
from tests.unit.training_samples import ARCHITECTURE, CPU, DIMENSION, config, samples
from workers.model.network import EmbeddingNetwork
from workers.training.augment import Augmentation
from workers.training.learner import Learner
from workers.training.losses.base import Batch

ALL_AIMS: dict[str, Any] = {
    "loss": "0.1*subcenter-arcface+multi-similarity+0.1*center+0.1*dvml",
    "predict": ["season"],
    "erase": ["hour:cyclic(24)*0.5"],
    "group_by": ["season"],
}


def states(one: Learner) -> dict[str, Tensor]:
    """Every tensor that the next step depends on, by a name."""
    found: dict[str, Tensor] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            found[name] = value.detach().clone()
        elif isinstance(value, dict):
            for key, part in value.items():
                walk(f"{name}.{key}", part)

    walk("", one.state())
    return found


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_two_learners_of_a_seed_take_the_same_steps() -> None:
    one, other = learner(**ALL_AIMS), learner(**ALL_AIMS)
    for number in range(3):
        figures = one.step(number)
        torch.rand(7)  # what others draw does not matter
        assert other.step(number) == figures
    assert_equal(states(one), states(other))
    third = learner(**ALL_AIMS, seed=1)
    assert third.step(0) != learner(**ALL_AIMS).step(0)


def test_a_learner_that_is_loaded_goes_on_as_if_nothing_had_been() -> None:
    whole, first, second = (learner(**ALL_AIMS) for _ in range(3))
    for number in range(4):
        whole.step(number)
    for number in range(2):
        first.step(number)
    second.load_state(first.state())
    for number in (2, 3):
        second.step(number)
    assert_equal(states(whole), states(second))


def test_a_step_teaches() -> None:
    one = learner(steps=40, backbone_rate=1e-3, head_rate=1e-2, augmentation=Augmentation(0))
    losses = [one.step(number)["loss"] for number in range(40)]
    assert np.mean(losses[-8:]) < np.mean(losses[:8])


def test_figures_of_a_step() -> None:
    one = learner(steps=10, warm_up=0.2, head_rate=0.04, backbone_rate=0.02)
    rates = [one.step(number)["learning_rate"] for number in range(3)]
    assert rates == pytest.approx([0.01, 0.02, 0.02])
    assert one.step(3).keys() == {"loss", "learning_rate"}


def test_the_gradient_is_clipped() -> None:
    one = learner(clip=1e-3, loss="1000*multi-similarity")
    one.step(0)
    parameters = [p for part in (one.network, one.loss) for p in part.parameters()]
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
    assert norm == pytest.approx(1e-3, rel=0.01)


def test_a_rate_of_nothing_changes_nothing() -> None:
    one = learner(backbone_rate=0)
    before = {name: p.detach().clone() for name, p in one.network.named_parameters()}
    for number in range(3):
        one.step(number)
    changed = {n for n, p in one.network.named_parameters() if not torch.equal(p, before[n])}
    assert changed == {"head.weight", "head.bias"}


def test_the_average_follows_slowly() -> None:
    one = learner(average=0.9)
    before = one.weights()
    for number in range(3):
        one.step(number)
    now, averaged = one.network.state_dict(), one.weights()
    for name in ("head.weight", "backbones.0.layers.0.1.running_mean"):
        way = (now[name] - before[name]).norm()
        assert 0 < float((averaged[name] - before[name]).norm()) < float(way)
    held = averaged["head.weight"].clone()
    one.step(3)
    assert torch.equal(averaged["head.weight"], held), "a copy"


def test_embeddings_are_those_of_the_average() -> None:
    one = learner(average=0.9)
    for number in range(3):
        one.step(number)
    network = EmbeddingNetwork(ARCHITECTURE)
    network.load_state_dict(one.weights())
    network.eval()
    with torch.inference_mode():
        expected = nn.functional.normalize(network(samples().images), dim=1).numpy()
    found = one.embed(samples().images)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert found.shape == (24, DIMENSION)


def test_many_images_are_embedded_in_parts() -> None:
    one = learner()
    images = samples(20, 4).images
    np.testing.assert_allclose(one.embed(images)[70:], one.embed(images[70:]), atol=1e-5)


def test_a_network_may_be_given() -> None:
    network = EmbeddingNetwork(ARCHITECTURE)
    assert Learner(config(), samples(), CPU, network).network is network


Seen = list[Batch]


def watched(one: Learner, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Note the batches that the loss of a learner sees."""
    seen: Seen = []
    before: Callable[[Batch], Tensor] = one.loss.forward

    def forward(batch: Batch) -> Tensor:
        seen.append(batch)
        return before(batch)

    monkeypatch.setattr(one.loss, "forward", forward)
    return seen


def test_a_batch_has_identities_with_images_each(monkeypatch: pytest.MonkeyPatch) -> None:
    one = learner(identities=3, images=2)
    seen = watched(one, monkeypatch)
    for number in range(4):
        one.step(number)
    for batch in seen:
        assert batch.raw.shape == batch.embeddings.shape == (6, DIMENSION)
        assert batch.raw.dtype == torch.float32
        assert sorted(np.unique(batch.labels, return_counts=True)[1]) == [2, 2, 2]
        torch.testing.assert_close(batch.embeddings.norm(dim=1), torch.ones(6))
        assert not batch.groups.any()
        assert batch.background.shape == (6, 0)
    visits = torch.cat([batch.labels for batch in seen])
    assert np.bincount(visits.numpy()).tolist() == [4] * 6


def test_quarter_turns_make_other_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    one = learner(quarter_turns=True, loss="arcface", augmentation=Augmentation(0, strength=0))
    seen = watched(one, monkeypatch)
    for number in range(6):
        one.step(number)
    labels = torch.cat([batch.labels for batch in seen])
    assert int(labels.max()) >= 6, "some are turned"
    assert set((labels // 6).tolist()) == {0, 1, 2, 3}
    proxies = [p for p in one.loss.parameters() if 24 in p.shape]
    assert len(proxies) == 1, "four times six classes"


def test_groups_are_spread_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one = learner(group_by=["season"], loss="gs-trs", identities=6)
    seen = watched(one, monkeypatch)
    one.step(0)
    (batch,) = seen
    pairs = batch.groups.view(6, 2).tolist()
    assert [sorted(pair) for pair in pairs] == [[0, 1]] * 6, "one image of each season"


@pytest.mark.parametrize(
    ("aims", "columns"),
    [
        ({"predict": ["season"]}, 2),
        ({"reverse": ["season"]}, 2),
        ({"erase": ["season"]}, 2),
        ({"predict": ["season"], "erase": ["hour:cyclic(24)"]}, 4),
    ],
)
def test_background_reaches_head_and_network(
    aims: dict[str, list[str]], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [text.partition(":")[0] for texts in aims.values() for text in texts]
    # From the second half on: reversal starts at nothing.
    number, alone, changed = 4, learner(), learner(**aims)
    seen = watched(changed, monkeypatch)
    figures = changed.step(number)
    alone.step(number)
    assert {f"{name}_loss" for name in names} == set(figures) - {"loss", "learning_rate"}
    assert all(math.isfinite(value) for value in figures.values())
    assert seen[0].background.shape == (8, columns)
    mine, other = _gradient(changed.network), _gradient(alone.network)
    assert not torch.allclose(mine, other, atol=1e-5), "the aim is felt by the backbone"
    assert all(p.grad is not None and p.grad.any() for p in changed.heads.parameters())


def _gradient(network: EmbeddingNetwork) -> Tensor:
    gradient = next(network.backbones.parameters()).grad
    assert gradient is not None
    return gradient


def test_predicting_and_reversing_pull_apart() -> None:
    """At full strength, and for the same head, the one gradient is the other's negative."""
    steps = 10**6  # so that the rates do not matter, and the last step is one of full reversal
    plain = learner(steps=steps, clip=1e9)
    told = learner(steps=steps, predict=["season"], clip=1e9)
    hidden = learner(steps=steps, reverse=["season"], clip=1e9)
    hidden.heads.load_state_dict(told.heads.state_dict())
    for one in (plain, told, hidden):
        one.step(steps - 1)
    pull = _gradient(told.network) - _gradient(plain.network)
    push = _gradient(hidden.network) - _gradient(plain.network)
    torch.testing.assert_close(push, -pull, atol=1e-4, rtol=1e-2)
    assert float(pull.norm()) > 1e-4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predict": ["weather"]}, "background weather: the train images have no value"),
        ({"predict": ["season"], "erase": ["season"]}, "season is named twice"),
        ({"group_by": ["weather"]}, r"background weather: .*no value to group by"),
    ],
)
def test_what_does_not_fit_the_data_is_said(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        learner(**changes)


def test_mixed_precision_is_for_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    one = learner()
    kinds: list[torch.dtype] = []
    head = one.network.head
    head.register_forward_hook(lambda _m, _given, output: kinds.append(output.dtype))
    one.step(0)
    assert kinds == [torch.float32]
