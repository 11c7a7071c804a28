"""One small head per kind of background variable: embeddings in, the variable out."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from recognition.variable import Kind
from workers.training.variables import LearnedVariable

HIDDEN = 64


class VariableHead(nn.Module, ABC):
    """One hidden layer on the embedding. A kind says what comes out and what is lost by it.

    Args:
        dimension: d of the embeddings.
        variable: that is told.
    """

    outputs: int = 1
    """How many numbers a prediction takes."""

    def __init__(self, dimension: int, variable: LearnedVariable) -> None:
        del variable
        super().__init__()
        # The parts of a unit vector are of size 1/√d; layers are made for parts of size 1.
        self._scale = math.sqrt(dimension)
        self.hidden = nn.Sequential(nn.Linear(dimension, HIDDEN), nn.ReLU())
        self.out = nn.Linear(HIDDEN, self.outputs)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Map (n, d) embeddings to (n, outputs)."""
        outputs: Tensor = self.out(self.hidden(embeddings * self._scale))
        return outputs

    def loss(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """Return the mean loss of those whose code, (n,), is not NaN; 0 where all are."""
        # No indexing by the mask: on CUDA that would wait for the device at every step.
        known = ~codes.isnan()
        losses = self.losses(outputs, codes.nan_to_num(0.0))
        return torch.where(known, losses, 0.0).sum() / known.sum().clamp(min=1)

    @abstractmethod
    def losses(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """Return (n,) losses for codes without NaN."""

    @abstractmethod
    def predict(self, outputs: Tensor) -> Tensor:
        """Return the (n,) codes that the outputs stand for, float32."""


class BinaryHead(VariableHead):
    """Binary cross-entropy."""

    def losses(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """As in the base."""
        return nn.functional.binary_cross_entropy_with_logits(
            outputs[:, 0], codes, reduction="none"
        )

    def predict(self, outputs: Tensor) -> Tensor:
        """As in the base."""
        return (outputs[:, 0] > 0).float()


class NominalHead(VariableHead):
    """Cross-entropy over the names."""

    def __init__(self, dimension: int, variable: LearnedVariable) -> None:
        self.outputs = len(variable.fitted.values)
        super().__init__(dimension, variable)

    def losses(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """As in the base."""
        return nn.functional.cross_entropy(outputs, codes.long(), reduction="none")

    def predict(self, outputs: Tensor) -> Tensor:
        """As in the base."""
        return outputs.argmax(dim=1).float()


class OrdinalHead(VariableHead):
    """CORAL: one score and a threshold between each two neighbouring ranks.

    Output k is the logit of "the rank is above k". They share all weights but the threshold, so
    that the probabilities fall with k once the thresholds do. The loss is the mean over k, not the
    sum, so that it does not grow with the number of ranks.

    Source: Cao, Mirjalili & Raschka 2020, arXiv 1901.07884, Eqs. 3-4.
    """

    def __init__(self, dimension: int, variable: LearnedVariable) -> None:
        super().__init__(dimension, variable)
        steps = len(variable.fitted.values) - 1
        self.out = nn.Linear(HIDDEN, 1, bias=False)
        self.thresholds = nn.Parameter(
            torch.linspace(1, -1, steps) if steps > 1 else torch.zeros(1)
        )

    def forward(self, embeddings: Tensor) -> Tensor:
        """Map (n, d) embeddings to (n, ranks - 1) logits."""
        return super().forward(embeddings) + self.thresholds

    def losses(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """As in the base."""
        levels = torch.arange(outputs.shape[1], device=outputs.device)
        above = (codes[:, None] > levels).to(outputs.dtype)
        return nn.functional.binary_cross_entropy_with_logits(
            outputs, above, reduction="none"
        ).mean(dim=1)

    def predict(self, outputs: Tensor) -> Tensor:
        """As in the base."""
        return (outputs > 0).sum(dim=1).float()


class ContinuousHead(VariableHead):
    """Smooth L1 (Huber) on the robust z."""

    def losses(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """As in the base."""
        return nn.functional.smooth_l1_loss(outputs[:, 0], codes, reduction="none")

    def predict(self, outputs: Tensor) -> Tensor:
        """As in the base."""
        return outputs[:, 0].float()


class CyclicHead(VariableHead):
    """1 - cos of the angle between the predicted (sin, cos) and the true one."""

    outputs = 2

    def losses(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """As in the base."""
        truth = torch.stack([codes.sin(), codes.cos()], dim=1)
        return 1 - nn.functional.cosine_similarity(outputs, truth, dim=1)

    def predict(self, outputs: Tensor) -> Tensor:
        """As in the base."""
        return torch.atan2(outputs[:, 0], outputs[:, 1]).float()


_HEADS: Mapping[Kind, type[VariableHead]] = MappingProxyType(
    {
        Kind.BINARY: BinaryHead,
        Kind.NOMINAL: NominalHead,
        Kind.ORDINAL: OrdinalHead,
        Kind.CONTINUOUS: ContinuousHead,
        Kind.CYCLIC: CyclicHead,
    }
)


def build_head(dimension: int, variable: LearnedVariable) -> VariableHead:
    """Return the head that fits the variable's kind."""
    return _HEADS[variable.fitted.kind](dimension, variable)
