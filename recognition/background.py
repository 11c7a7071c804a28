"""Backgrounds of mixed variables as rows of numbers, and the distance of two backgrounds.

The distance is Gower's (*A general coefficient of similarity and some of its properties*, 1971),
with squared differences: the mean over the variables that both backgrounds have. What is missing
is left out, and never filled in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recognition.variable import Variable

Float64 = NDArray[np.float64]
Background = Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Backgrounds as numbers.

    Attributes:
        features: (n, p), the blocks of all variables side by side; 0 where missing.
        present: (n, v), which variables a background has.
    """

    features: Float64
    present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Encoded":
        return Encoded(self.features[rows], self.present[rows])


@dataclass(frozen=True)
class Encoder:
    """The variables that a background is read by; it may be none.

    >>> from recognition.variable import Kind
    >>> encoder = Encoder((Variable("infrared", Kind.BINARY, ("false", "true")),))
    >>> encoder.encode([{"infrared": True}, {"infrared": "?"}]).features.tolist()
    [[1.0], [0.0]]
    """

    variables: tuple[Variable, ...]

    def __post_init__(self) -> None:
        if len({variable.name for variable in self.variables}) < len(self.variables):
            raise ValueError("variables: a name is given twice")

    def encode(self, backgrounds: Sequence[Background]) -> Encoded:
        """Return the rows of ``backgrounds``; variables that the encoder does not know are ignored.

        Missing are no value, an unseen name and a value of a wrong type (:meth:`Variable.code`).
        """
        features = np.zeros((len(backgrounds), self.columns), np.float64)
        present = np.zeros((len(backgrounds), len(self.variables)), np.bool_)
        parts = list(zip(range(len(self.variables)), self.variables, self._blocks, strict=True))
        for row, background in enumerate(backgrounds):
            for at, variable, columns in parts:
                block = variable.block(background.get(variable.name))
                if block is not None:
                    features[row, columns] = block
                    present[row, at] = True
        return Encoded(features, present)

    def distances(self, a: Encoded, b: Encoded) -> Float64:
        """Return Gower's distances (n, m) of the rows of ``a`` and ``b``, NaN where none is shared.

        √(Σ |a_v − b_v|² / Σ weight_v) over the variables v that both have, the features being
        weighted already. Over pairs of the fit data the mean square is 1 if none is missing.
        """
        for rows in (a, b):
            if rows.features.shape[1] != self.columns:
                raise ValueError(
                    f"expected rows of {self.columns} columns, got {rows.features.shape[1]}"
                )
        if len(b) > len(a):  # the loop is over the fewer
            return self.distances(b, a).T
        squared = np.empty((len(a), len(b)), np.float64)
        known = self.mask(a)
        for at, (row, mask) in enumerate(zip(b.features, self.mask(b), strict=True)):
            # The difference first: |a|² + |b|² − 2a·b cancels where a and b are close.
            difference = a.features - row
            difference *= known
            difference *= mask
            np.einsum("np,np->n", difference, difference, out=squared[:, at])
        shared = (a.present * self.weights) @ b.present.T
        squared[shared == 0] = np.nan
        squared /= np.maximum(shared, np.finfo(np.float64).tiny)
        return np.sqrt(squared, out=squared)

    def known(self, encoded: Encoded) -> Float64:
        """Return how much of each background (n,) is known: the share of the weight, 0 to 1."""
        total = self.weights.sum()
        return (
            (encoded.present @ self.weights) / total if self.variables else np.zeros(len(encoded))
        )

    def mask(self, encoded: Encoded) -> NDArray[np.bool_]:
        """Return which features (n, p) are present."""
        return encoded.present[:, self._owner]

    @cached_property
    def columns(self) -> int:
        """How many features p there are."""
        return len(self._owner)

    @cached_property
    def weights(self) -> Float64:
        """The weights (v,)."""
        return np.array([variable.weight for variable in self.variables], np.float64)

    @cached_property
    def _blocks(self) -> list[slice]:
        ends = np.cumsum([variable.columns for variable in self.variables], dtype=int).tolist()
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]

    @cached_property
    def _owner(self) -> NDArray[np.intp]:
        """The variable (p,) that each column belongs to."""
        widths = [variable.columns for variable in self.variables]
        return np.repeat(np.arange(len(widths)), widths)
