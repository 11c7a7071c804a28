"""A small head that tells one background variable: embeddings in, the variable out."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cosine_similarity,
    cross_entropy,
    smooth_l1_loss,
)

from recognition.variable import Kind
from workers.training.variables import LearnedVariable

HIDDEN = 64


class VariableHead(nn.Module):
    """One hidden layer on the embedding. The kind says what comes out and what is lost by it.

    An ordinal variable has CORAL (Cao, Mirjalili & Raschka 2020, arXiv 1901.07884, Eqs. 3-4): one
    score, and a threshold between each two neighbouring ranks. Output k is the logit of "the rank
    is above k". They share all weights but the threshold, so that the probabilities fall with k
    once the thresholds do.
    """

    def __init__(self, dimension: int, variable: LearnedVariable) -> None:
        super().__init__()
        self._kind, names = variable.fitted.kind, len(variable.fitted.values)
        # The parts of a unit vector are of size 1/√d; layers are made for parts of size 1.
        self._scale = math.sqrt(dimension)
        self.hidden = nn.Sequential(nn.Linear(dimension, HIDDEN), nn.ReLU())
        outputs = {Kind.NOMINAL: names, Kind.CYCLIC: 2}.get(self._kind, 1)
        self.out = nn.Linear(HIDDEN, outputs, bias=self._kind is not Kind.ORDINAL)
        if self._kind is Kind.ORDINAL:
            first = torch.linspace(1, -1, names - 1) if names > 2 else torch.zeros(1)
            self.thresholds = nn.Parameter(first)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Map (n, d) embeddings to (n, outputs); of an ordinal variable, to (n, ranks - 1)."""
        outputs: Tensor = self.out(self.hidden(embeddings * self._scale))
        return outputs + self.thresholds if self._kind is Kind.ORDINAL else outputs

    def loss(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """Return the mean loss of those whose code, (n,), is not NaN; 0 where all are."""
        # No indexing by the mask: on CUDA that would wait for the device at every step.
        known = ~codes.isnan()
        losses = self.losses(outputs, codes.nan_to_num(0.0))
        return torch.where(known, losses, 0.0).sum() / known.sum().clamp(min=1)

    def losses(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """Return (n,) losses for codes without NaN.

        Cross-entropy of names, of ranks the mean over their thresholds so that it does not grow
        with them; smooth L1 (Huber) on the robust z; 1 - cos of the angle between the predicted
        (sin, cos) and the true one.
        """
        match self._kind:
            case Kind.NOMINAL:
                return cross_entropy(outputs, codes.long(), reduction="none")
            case Kind.CONTINUOUS:
                return smooth_l1_loss(outputs[:, 0], codes, reduction="none")
            case Kind.CYCLIC:
                truth = torch.stack([codes.sin(), codes.cos()], dim=1)
                return 1 - cosine_similarity(outputs, truth, dim=1)
        levels = torch.arange(outputs.shape[1], device=outputs.device)  # of a binary one: 0
        above = (codes[:, None] > levels).to(outputs.dtype)
        return binary_cross_entropy_with_logits(outputs, above, reduction="none").mean(dim=1)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the (n,) codes that the outputs stand for, float32."""
        match self._kind:
            case Kind.NOMINAL:
                return outputs.argmax(dim=1).float()
            case Kind.CONTINUOUS:
                return outputs[:, 0].float()
            case Kind.CYCLIC:
                return torch.atan2(outputs[:, 0], outputs[:, 1]).float()
        return (outputs > 0).sum(dim=1).float()
