"""The detection error trade-off: what is missed for what is let through (Martin et al. 1997)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy.special import ndtr, ndtri

from lab.evaluate.exam import VariantResult
from lab.shown.style import QUIET, colour, legend, panels, title
from recognition.evaluation import Float64, Identified

_LOWEST, _HIGHEST = 0.0005, 0.9995
_TICKS: Final = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)
_GRID: Final = ndtr(np.linspace(ndtri(_LOWEST), ndtri(_HIGHEST), 200))


def det(assessed: Sequence[VariantResult], fpirs: Sequence[float]) -> Figure:
    """Draw, per scenario, the share of known probes missed over the FPIR.

    A line per variant is the mean over the splits, the band goes from the best to the worst.
    Both axes are normal deviates: Gaussian scores give straight lines.
    """
    scenarios = list(assessed[0].trials)
    figure, grid = panels(1, len(scenarios), width=4.8, height=4.6, same_y=True)
    for axis, scenario in zip(grid[0], scenarios, strict=True):
        _axes(axis, fpirs)
        title(axis, [scenario])
        for number, result in enumerate(assessed):
            curves = [missed(t.scored.identified, _GRID) for t in result.trials[scenario].values()]
            drawn = np.stack([curve for curve in curves if not np.isnan(curve).any()] or curves)
            axis.fill_between(
                _GRID, drawn.min(0), drawn.max(0), color=colour(number), alpha=0.15, linewidth=0
            )
            axis.plot(_GRID, drawn.mean(0), color=colour(number), lw=1.8, label=result.variant.name)
    grid[0][0].set_ylabel("known probes missed (1 − TPIR)", fontsize=9)
    legend(figure, grid[0][0])
    return figure


def missed(identified: Identified, fpirs: Float64) -> Float64:
    """Return 1 - TPIR at the largest threshold that keeps each FPIR (n,), as `tpir_at_fpir`."""
    impostors = np.sort(identified.distance[~identified.known])
    genuine = np.sort(identified.distance[identified.known & identified.right])
    known = np.count_nonzero(identified.known)
    if impostors.size == 0 or known == 0:
        return np.full(len(fpirs), np.nan)
    shares = np.arange(1, impostors.size + 1) / impostors.size
    allowed = np.searchsorted(shares, fpirs, side="right").clip(max=impostors.size - 1)
    found_right = np.searchsorted(genuine, impostors[allowed], side="left")
    return np.asarray(1 - found_right / known)


def _axes(axis: Axes, fpirs: Sequence[float]) -> None:
    for which in ("x", "y"):
        getattr(axis, f"set_{which}scale")("function", functions=(_deviate, ndtr))
        side = getattr(axis, f"{which}axis")
        side.set_major_locator(FixedLocator(_TICKS))
        side.set_minor_locator(NullLocator())
        side.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        getattr(axis, f"set_{which}lim")(_LOWEST, _HIGHEST)
    axis.set_xlabel("unknown probes given a name (FPIR)", fontsize=9)
    for fpir in fpirs:
        axis.axvline(fpir, color=QUIET, linewidth=0.8, linestyle=":")


def _deviate(share: Float64) -> Float64:
    return np.asarray(ndtri(np.clip(share, 1e-6, 1 - 1e-6)))
