"""``0.5*triplet+arcface``: a weighted sum of losses, as a word on the command line."""

import math

import torch
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.training.batch import Batch
from workers.training.losses.base import MetricLoss
from workers.training.losses.registry import LOSSES


class WeightedSum(MetricLoss):
    """Several losses of one batch, each times its weight."""

    def __init__(self, terms: dict[str, tuple[float, MetricLoss]]) -> None:
        super().__init__()
        self.weights = {name: weight for name, (weight, _) in terms.items()}
        self.terms = nn.ModuleDict({name: loss for name, (_, loss) in terms.items()})

    def forward(self, batch: Batch) -> Tensor:
        """Return the weighted sum."""
        return torch.stack(
            [self.weights[name] * loss(batch) for name, loss in self.terms.items()]
        ).sum()


def build_loss(spec: str, dimension: int, classes: int) -> MetricLoss:
    """Build the loss that a specification names, for (n, dimension) embeddings of the classes.

    Terms are joined by ``+``; a term is a name of ``LOSSES``, or ``weight*name``.

    Raises:
        SetupError: an unknown name, a weight that is no positive number, or a name given twice.
    """
    terms = parse_loss(spec)
    return WeightedSum(
        {name: (weight, LOSSES[name](dimension, classes)) for name, weight in terms.items()}
    )


def parse_loss(spec: str) -> dict[str, float]:
    """Return the weight of each loss that a specification names, in its order.

    >>> parse_loss("0.5*triplet + arcface")
    {'triplet': 0.5, 'arcface': 1.0}

    Raises:
        SetupError: as :func:`build_loss`.
    """
    weights: dict[str, float] = {}
    for term in spec.split("+"):
        weight, star, name = (part.strip() for part in term.rpartition("*"))
        if name not in LOSSES:
            raise SetupError(f"no loss {name!r} in {spec!r}; known: {', '.join(sorted(LOSSES))}")
        if name in weights:
            raise SetupError(f"loss {name!r} is named twice in {spec!r}")
        weights[name] = _weight(weight, spec) if star else 1.0
    return weights


def _weight(text: str, spec: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise SetupError(f"weight {text!r} in loss {spec!r} is no positive number, such as 0.5")
    return weight
