"""The generalised Pareto distribution of what lies beyond a start, fitted by moments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

# Beyond these the variance does not exist, or the fit follows its last point alone.
_SHAPES = (-0.9, 0.5)
_ALMOST_ZERO = 1e-9


@dataclass(frozen=True, slots=True)
class Pareto:
    """The low tail of a distribution: what lies below ``start``.

    Attributes:
        start: where the tail starts.
        mass: the share of the distribution that lies below it.
        scale: in the unit of the values.
        shape: ξ; below zero the tail ends at ``start`` + ``scale``/ξ, at zero it is exponential.
    """

    start: float
    mass: float
    scale: float
    shape: float

    def share(self, values: Float64) -> Float64:
        """Return the share of the distribution below ``values``, all of them below the start.

        mass·(1 + ξ·(start − value)/scale)^(−1/ξ) (Coles 2001, eq. 4.2).
        """
        beyond = np.maximum(self.start - values, 0) / self.scale
        if abs(self.shape) < _ALMOST_ZERO:
            return self.mass * np.exp(-beyond)
        base = np.maximum(1 + self.shape * beyond, 0)  # 0 from the end on, where there is one
        share: Float64 = self.mass * base ** (-1 / self.shape)
        return share


def fit_pareto(start: float, beyond: Float64, weights: Float64) -> Pareto:
    """Fit to the distances ``beyond`` (n,) the start, all positive, by weighted moments.

    Probability-weighted moments b₀ = E[x] and b₁ = E[x·(1 − F(x))] give ξ = 2 − b₀/(b₀ − 2b₁) and
    the scale 2b₀b₁/(b₀ − 2b₁) (Hosking and Wallis, *Parameter and Quantile Estimation for the
    Generalized Pareto Distribution*, Technometrics 1987), sounder than maximum likelihood on
    samples of some tens. The mass is the sum of the weights.
    """
    order = np.argsort(beyond, kind="stable")
    x, mass = beyond[order], float(weights.sum())
    share = weights[order] / mass
    above = 1 - (np.cumsum(share) - share / 2)
    first, second = float(share @ x), float(share @ (x * above))
    spread = max(first - 2 * second, _ALMOST_ZERO * first)  # all may lie equally far
    shape = float(np.clip(2 - first / spread, *_SHAPES))
    # The scale for this shape that keeps the mean, so that a clipped shape is no worse there.
    return Pareto(start, mass, first * (1 - shape), shape)
