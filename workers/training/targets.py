"""What the auxiliary heads learn: each image's background variables as a tensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognition.values import as_text
from schemas.event import Scalar
from schemas.variables import Variable as VariableType
from workers.training.variables import LearnedVariable, fit_variable, present

Backgrounds = Sequence[Mapping[str, Scalar]]


@dataclass(frozen=True, slots=True)
class Targets:
    """The variables of a data set and their encoded values.

    Attributes:
        variables: v of them.
        values: (n, v) float32, a row per image; NaN where missing.
    """

    variables: tuple[LearnedVariable, ...]
    values: Tensor


def make_targets(
    backgrounds: Backgrounds, train: NDArray[np.intp], kinds: Mapping[str, VariableType | None]
) -> Targets:
    """Encode the variables that ``kinds`` names.

    Args:
        backgrounds: one per image.
        train: indices of the images that the statistics may be taken from.
        kinds: the kind of each variable; ``None`` infers it from the train values.

    Raises:
        SetupError: a variable has fewer than two different train values, or one that does not fit
            its kind.
    """
    variables = tuple(
        fit_variable(name, [backgrounds[row].get(name) for row in train], kind)
        for name, kind in kinds.items()
    )
    return Targets(variables, encode(variables, backgrounds))


def encode(variables: Sequence[LearnedVariable], backgrounds: Backgrounds) -> Tensor:
    """Return (n, v) float32: the code of each variable for each image, NaN where missing.

    Raises:
        SetupError: a variable is a number, and a value is not.
    """
    codes = [[v.encode(background.get(v.name)) for v in variables] for background in backgrounds]
    return torch.tensor(codes, dtype=torch.float32).reshape(len(backgrounds), len(variables))


def varying(backgrounds: Backgrounds) -> list[str]:
    """Return the variables with at least two different values, in their order of appearance."""
    seen: dict[str, set[str]] = {}
    for background in backgrounds:
        for name, value in background.items():
            if present(value):
                seen.setdefault(name, set()).add(as_text(value))
    return [name for name, values in seen.items() if len(values) >= 2]
