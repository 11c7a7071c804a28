"""Heads beside the metric: what the embedding shall tell of the background, and what it shall not.

Multi-task learning pulls the variables to predict into the embedding. Gradient reversal (Ganin &
Lempitsky 2015, arXiv 1409.7495) hides others from the head that looks for them; a new head may
still find them elsewhere in the embedding, so ask one: ``directions.find_direction``. Erasing
(:mod:`workers.training.auxiliary`) hides them from every linear one.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter
from torch import Tensor, nn

from recognition.variable import Kind
from schemas.errors import SetupError
from schemas.variables import Variable as VariableType
from workers.model.model_folder import ModelCard, Weights, head_weights
from workers.training.directions import Figure, figure
from workers.training.tasks import Aim, Task
from workers.training.variable_heads import VariableHead
from workers.training.variables import LearnedVariable, Targets

_RIDGE = 1e-3


def features(variable: LearnedVariable, codes: Tensor) -> Tensor:
    """Return (n, m) features of (n,) codes; NaN where missing.

    A name is one-hot, a rank and a robust z are one number, an angle is sine and cosine: the
    encoding φ of the design. They are scaled such that the absolute differences of two images add
    up to about 1 where they are as different as can be (Gower 1971); a z counts as far at 4.
    """
    names = len(variable.fitted.values)
    if variable.unordered:
        known = codes.nan_to_num(0.0).long()
        columns = nn.functional.one_hot(known, names).float() / 2
    elif variable.cyclic:
        columns = torch.stack([codes.sin(), codes.cos()], dim=1) / 8**0.5
    else:
        columns = codes[:, None] / (names - 1 if variable.fitted.kind is Kind.ORDINAL else 4)
    return torch.where(codes.isnan()[:, None], torch.nan, columns)


def comparable(targets: Targets) -> Tensor:
    """Return (n, w): the features of all variables, for losses that compare backgrounds."""
    empty = targets.values[:, :0]
    columns = [features(v, targets.values[:, i]) for i, v in enumerate(targets.variables)]
    return torch.cat([empty, *columns], dim=1)


def explained(embeddings: Tensor, known: Tensor) -> Tensor:
    """Return the share of the embeddings' variance that features explain linearly: η².

    Of names, that is the variance between the groups. At 0 no linear probe does better than a
    constant guess (Belrose et al. 2023, arXiv 2306.03819, Theorem 3.1), so lowering it hides a
    variable from them all, where an adversary drives it from one hiding place to the next.

    Args:
        embeddings: (n, d).
        known: (n, m) features; rows with NaN are left out.

    Returns:
        A scalar from 0 to 1; 0 where nothing varies.
    """
    rows = ~known.isnan().any(dim=1, keepdim=True)
    count = rows.sum().clamp(min=1)
    inputs, outputs = (
        torch.where(rows, values - torch.where(rows, values, 0.0).sum(dim=0) / count, 0.0)
        for values in (known.float(), embeddings.float())
    )
    scatter = inputs.T @ inputs
    # A group of one-hot features adds up to 1: without the ridge it has no inverse.
    eye = torch.eye(len(scatter), device=scatter.device)
    ridge = _RIDGE * scatter.diagonal().mean() + torch.finfo(scatter.dtype).tiny
    cross = inputs.T @ outputs
    shared: Tensor = (cross * torch.linalg.solve(scatter + ridge * eye, cross)).sum()
    return shared / outputs.square().sum().clamp(min=torch.finfo(outputs.dtype).tiny)


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -context.strength * gradients[0], None


def reverse(values: Tensor, strength: float) -> Tensor:
    """Return the values as they are; the gradient that comes back is multiplied by ``-strength``.

    Source: Ganin & Lempitsky 2015, arXiv 1409.7495, Eqs. 9-10.
    """
    result: Tensor = _Reverse.apply(values, strength)  # type: ignore[no-untyped-call]  # torch's
    return result


def ramp(progress: float) -> float:
    """Return the share of its strength that the reversal has at ``progress`` (0 to 1) of a run.

    It rises from 0 to nearly 1, so that the encoder does not run from heads that know nothing yet
    (the schedule of Ganin & Lempitsky 2015, §4.1).
    """
    return 2 / (1 + math.exp(-10 * progress)) - 1


class AuxiliaryHeads(nn.Module):
    """One head per task, each on its own column of the background.

    Args:
        variables: what the columns of the background mean, in their order.
        tasks: what to predict and what to hide; each names one of the variables.
    """

    def __init__(
        self, dimension: int, variables: Sequence[LearnedVariable], tasks: Sequence[Task]
    ) -> None:
        super().__init__()
        names = [variable.name for variable in variables]
        if strange := [task.name for task in tasks if task.name not in names]:
            raise ValueError(f"no column for {strange[0]}; there are {', '.join(names)}")
        self._tasks = tuple(tasks)
        self._columns = [names.index(task.name) for task in tasks]
        self._variables = tuple(variables)
        self._ramp = 1.0
        self.heads = nn.ModuleList(
            VariableHead(dimension, variables[column]) for column in self._columns
        )

    @property
    def learned(self) -> list[tuple[Task, LearnedVariable]]:
        """The task and the variable of each head."""
        columns = (self._variables[column] for column in self._columns)
        return list(zip(self._tasks, columns, strict=True))

    def set_progress(self, progress: float) -> None:
        """Set the strength of the reversal for this share (0 to 1) of the run; else it is full."""
        self._ramp = ramp(progress)

    def forward(self, embeddings: Tensor, background: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the losses of a batch.

        Args:
            embeddings: (n, d) of unit norm.
            background: (n, v) encoded variables; NaN where missing, which adds nothing.

        Returns:
            The scalar to add to the metric loss, and the plain loss of each variable, detached.
            The head of a variable to hide or to erase learns at weight 1 itself, to report what is
            left of it; the weight is what the embeddings feel.
        """
        total = embeddings.new_zeros(())
        parts: dict[str, Tensor] = {}
        for task, variable, codes, head in self._each(background):
            loss = head.loss(head(self._seen(task, embeddings)), codes)
            total = total + (task.weight * loss if task.aim is Aim.PREDICT else loss)
            if task.aim is Aim.ERASE:
                total = total + task.weight * explained(embeddings, features(variable, codes))
            parts[task.name] = loss.detach()
        return total, parts

    @torch.no_grad()
    def report(self, embeddings: Tensor, background: Tensor) -> dict[str, Figure]:
        """Say how well each head predicts; arguments as for :meth:`forward`."""
        return {
            task.name: figure(
                variable, codes.cpu().numpy(), head.predict(head(embeddings)).cpu().numpy()
            )
            for task, variable, codes, head in self._each(background)
        }

    def _seen(self, task: Task, embeddings: Tensor) -> Tensor:
        """Return the embeddings as the head sees them, by what it sends back to them."""
        match task.aim:
            case Aim.PREDICT:
                return embeddings
            case Aim.REVERSE:
                return reverse(embeddings, task.weight * self._ramp)
            case Aim.ERASE:
                return embeddings.detach()

    def _each(
        self, background: Tensor
    ) -> Iterator[tuple[Task, LearnedVariable, Tensor, VariableHead]]:
        for task, column, head in zip(self._tasks, self._columns, self.heads, strict=True):
            assert isinstance(head, VariableHead)
            yield task, self._variables[column], background[:, column], head


class SavedHead(BaseModel):
    """One head as the card has it: the task, and the variable as fitted to the train rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    aim: Aim
    weight: float
    kind: VariableType
    centre: float
    scale: float
    typical: float


_SAVED = TypeAdapter(list[SavedHead])


def describe_heads(heads: AuxiliaryHeads) -> list[JsonValue]:
    """Return what a card says under ``training["heads"]``, in the order of the tensors."""
    saved = [
        SavedHead(
            name=task.name,
            aim=task.aim,
            weight=task.weight,
            kind=variable.kind,
            centre=variable.fitted.centre,
            scale=variable.fitted.unit,
            typical=variable.typical,
        )
        for task, variable in heads.learned
    ]
    # The bounds of a continuous variable are infinite by default, which JSON does not have.
    return [head.model_dump(mode="json", exclude_defaults=True) for head in saved]


def load_heads(card: ModelCard, weights: Weights) -> AuxiliaryHeads | None:
    """Rebuild the heads of a model folder; None where it has none.

    Raises:
        SetupError: the card and the tensors do not tell of the same heads.
    """
    described = None if card.training is None else card.training.get("heads")
    if described is None:
        return None
    try:
        saved = _SAVED.validate_python(described)
        heads = AuxiliaryHeads(
            card.architecture.dimension,
            [LearnedVariable.restore(s.name, s.kind, s.centre, s.scale, s.typical) for s in saved],
            [Task(s.name, s.kind, s.weight, s.aim) for s in saved],
        )
        heads.load_state_dict(head_weights(weights))
    except (ValueError, RuntimeError) as error:
        raise SetupError(f"auxiliary heads of {card.name}: {error}; train it anew") from error
    return heads.eval().requires_grad_(requires_grad=False)
