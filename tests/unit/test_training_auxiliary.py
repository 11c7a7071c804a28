"""Heads that predict background variables, and heads that drive them out of the embedding."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from schemas.event import Scalar
from tests.unit.skill import skill
from workers.training.auxiliary import AuxiliaryHeads, explained, features, ramp, reverse
from workers.training.directions import ACCURACY, CIRCULAR, ERROR, RANKS
from workers.training.tasks import Aim, Task, kinds_of, parse_task
from workers.training.variable_heads import VariableHead
from workers.training.variables import Targets, make_targets

NAN = math.nan

VALUES: dict[str, Sequence[Scalar]] = {
    "light": ("day", "night"),
    "season": ("spring", "summer", "autumn", "winter"),
    "age": ("calf", "yearling", "adult"),
    "t": (-4, 0, 3, 5, 11),
    "hour": (23, 0, 5, 12, 18),
}
TASKS = ("light", "season*0.5", "age:ordinal(calf,yearling,adult)", "t", "hour:cyclic(24)*3")


def targets_of(values: dict[str, Sequence[Scalar]], tasks: Sequence[Task], count: int) -> Targets:
    backgrounds = [{n: v[row % len(v)] for n, v in values.items()} for row in range(count)]
    return make_targets(backgrounds, np.arange(count), kinds_of(tasks, {}))


def head(text: str) -> VariableHead:
    task = parse_task(text)
    variable = targets_of(VALUES, [task], 60).variables[0]
    return VariableHead(2, variable)


def unit(count: int, dimension: int) -> Tensor:
    vectors = torch.randn(count, dimension, generator=torch.Generator().manual_seed(0))
    return nn.functional.normalize(vectors, dim=1)


@pytest.mark.parametrize(
    ("text", "outputs", "code", "expected"),
    [
        ("light", [[0.0]], 1, math.log(2)),
        ("light", [[2.0]], 0, math.log1p(math.exp(2))),
        ("season", [[0.0, 0, 0, 0]], 3, math.log(4)),
        # Above calf for certain; above yearling undecided: the mean of 0 and log 2.
        (TASKS[2], [[99.0, 0]], 1, math.log(2) / 2),
        (TASKS[2], [[99.0, 99]], 0, 99),
        ("t", [[0.5]], 0, 0.125),  # quadratic near 0
        ("t", [[-3.0]], 0, 2.5),  # and linear from 1 on
        (TASKS[4], [[1.0, 0]], math.pi / 2, 0),
        (TASKS[4], [[1.0, 0]], 2.5 * math.pi, 0),  # a turn further is the same
        (TASKS[4], [[2.0, 0]], math.pi, 1),
        (TASKS[4], [[0.0, 5]], math.pi, 2),
    ],
)
def test_losses(text: str, outputs: list[list[float]], code: float, expected: float) -> None:
    loss = head(text).loss(torch.tensor(outputs), torch.tensor([float(code)]))
    assert float(loss) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "outputs", "code"),
    [
        ("light", [0.1], 1),
        ("light", [-0.1], 0),
        ("season", [0.0, 3, 1, 2], 1),
        (TASKS[2], [-1.0, -2], 0),
        (TASKS[2], [1.0, -2], 1),
        (TASKS[2], [2.0, 1], 2),
        ("t", [-1.5], -1.5),
        (TASKS[4], [3.0, 0], math.pi / 2),
        (TASKS[4], [-1.0, 0], -math.pi / 2),
    ],
)
def test_predictions(text: str, outputs: list[float], code: float) -> None:
    assert float(head(text).predict(torch.tensor([outputs]))) == pytest.approx(code)


def test_a_rank_further_off_costs_more() -> None:
    ordinal = head(TASKS[2])
    surely_calf = torch.tensor([[-5.0, -5]])
    losses = [float(ordinal.loss(surely_calf, torch.tensor([rank]))) for rank in (0.0, 1, 2)]
    assert losses == sorted(losses)
    assert losses[2] > 1.9 * losses[1] > 100 * losses[0]


def test_thresholds_of_ranks_share_all_other_weights() -> None:
    ordinal = head(TASKS[2])
    outputs = ordinal(unit(7, 2))
    assert (outputs[:, 0] - outputs[:, 1]).tolist() == pytest.approx([2] * 7, abs=1e-5)


@pytest.mark.parametrize("text", TASKS)
def test_what_is_missing_adds_nothing(text: str) -> None:
    network = head(text)
    embeddings = unit(3, 2).requires_grad_()
    codes = torch.tensor([1.0, NAN, 0])
    alone = network.loss(network(embeddings[[0, 2]]), codes[[0, 2]])
    loss = network.loss(network(embeddings), codes)
    assert loss.item() == pytest.approx(alone.item(), rel=1e-5)
    torch.autograd.backward(loss)
    assert embeddings.grad is not None
    assert embeddings.grad[1].tolist() == [0, 0]
    assert embeddings.grad[0].any()


@pytest.mark.parametrize("text", TASKS)
def test_all_missing_is_no_loss(text: str) -> None:
    network = head(text)
    embeddings = unit(3, 2).requires_grad_()
    loss = network.loss(network(embeddings), torch.full((3,), NAN))
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert embeddings.grad is not None
    assert not embeddings.grad.any()
    assert all(p.grad is None or not p.grad.any() for p in network.parameters())


def test_reversal_turns_the_gradient_round() -> None:
    values = torch.tensor([1.0, -2], requires_grad=True)
    result = reverse(values, 0.5)
    assert result.tolist() == [1, -2]
    torch.autograd.backward((result * torch.tensor([3.0, 4])).sum())
    assert values.grad is not None
    assert values.grad.tolist() == [-1.5, -2]


def test_the_ramp_of_the_reversal() -> None:
    assert ramp(0) == 0
    assert ramp(0.1) == pytest.approx(math.tanh(0.5))  # 2 / (1 + exp(-x)) - 1 = tanh(x / 2)
    assert ramp(1) == pytest.approx(0.9999, abs=1e-4)


def test_the_total_is_weighted_and_the_parts_are_not() -> None:
    tasks = [parse_task(text) for text in TASKS]
    targets = targets_of(VALUES, tasks, 60)
    heads = AuxiliaryHeads(2, targets.variables, tasks)
    total, parts = heads(unit(60, 2), targets.values)
    assert list(parts) == ["light", "season", "age", "t", "hour"]
    expected = sum(task.weight * float(parts[task.name]) for task in tasks)
    assert total.item() == pytest.approx(expected, rel=1e-5)


def test_a_head_that_hides_learns_as_one_that_predicts_and_pushes_back() -> None:
    """Same head, same embeddings: its gradient is the same, the embeddings' is -2 times it."""
    values = {"light": VALUES["light"]}
    grads: list[tuple[Tensor, Tensor]] = []
    for task in (Task("light"), Task("light", weight=2, aim=Aim.REVERSE)):
        torch.manual_seed(0)
        targets = targets_of(values, [task], 10)
        heads = AuxiliaryHeads(3, targets.variables, [task])
        embeddings = unit(10, 3).requires_grad_()
        torch.autograd.backward(heads(embeddings, targets.values)[0])
        own = next(heads.parameters()).grad
        assert own is not None
        assert embeddings.grad is not None
        grads.append((own, embeddings.grad))
    torch.testing.assert_close(grads[1][0], grads[0][0])
    torch.testing.assert_close(grads[1][1], -2 * grads[0][1])


def test_at_the_start_of_a_run_nothing_is_reversed() -> None:
    task = Task("light", aim=Aim.REVERSE)
    targets = targets_of({"light": VALUES["light"]}, [task], 4)
    heads = AuxiliaryHeads(3, targets.variables, [task])
    heads.set_progress(0)
    embeddings = unit(4, 3).requires_grad_()
    torch.autograd.backward(heads(embeddings, targets.values)[0])
    assert embeddings.grad is not None
    assert not embeddings.grad.any()


def test_no_tasks_no_loss() -> None:
    targets = targets_of({"light": VALUES["light"]}, [Task("light")], 4)
    heads = AuxiliaryHeads(3, targets.variables, [])
    total, parts = heads(unit(4, 3), targets.values)
    assert (float(total), parts, heads.report(unit(4, 3), targets.values)) == (0, {}, {})


def test_a_task_without_a_column() -> None:
    with pytest.raises(ValueError, match="no column for season"):
        AuxiliaryHeads(3, (), [Task("season")])


def test_every_kind_is_learned_and_reported_in_its_unit() -> None:
    """The embedding is a random code of the row's values: all there is to know is in it."""
    torch.manual_seed(0)
    tasks = [parse_task(text) for text in TASKS]
    targets = targets_of(VALUES, tasks, 60)
    embeddings = unit(60, 32)
    heads = AuxiliaryHeads(32, targets.variables, tasks)
    optimizer = torch.optim.Adam(heads.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        torch.autograd.backward(heads(embeddings, targets.values)[0])
        optimizer.step()
    report = heads.report(embeddings, targets.values)
    measures = [ACCURACY, ACCURACY, RANKS, ERROR, CIRCULAR]
    assert [figure.measure for figure in report.values()] == measures
    assert all(skill(figure) > 0.9 for figure in report.values()), report
    assert report["season"].chance == 0.25
    # Degrees Celsius: the values lie 7, 3, 0, 2 and 8 from their median.
    assert report["t"].chance == pytest.approx(4)
    assert report["t"].value < 0.4


def test_the_head_of_an_erased_variable_only_watches() -> None:
    """It learns as any other, and the embeddings feel the weight times what is explained."""
    task = Task("light", weight=3, aim=Aim.ERASE)
    targets = targets_of({"light": VALUES["light"]}, [task], 10)
    heads = AuxiliaryHeads(3, targets.variables, [task])
    embeddings, alone = unit(10, 3).requires_grad_(), unit(10, 3).requires_grad_()
    torch.autograd.backward(heads(embeddings, targets.values)[0])
    torch.autograd.backward(
        3 * explained(alone, features(targets.variables[0], targets.values[:, 0]))
    )
    assert embeddings.grad is not None
    assert alone.grad is not None
    torch.testing.assert_close(embeddings.grad, alone.grad)
    assert all(p.grad is not None and p.grad.any() for p in heads.parameters())
