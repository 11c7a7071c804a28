"""Gradient reversal: what lies above learns a thing, what lies below unlearns it."""

import math
from typing import Any

import torch
from torch import Tensor


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
