"""How near strangers come, and where thresholds cut."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from lab.evaluate.words import percent
from lab.shown.style import COLOURS, INK, panels
from recognition.tail import Tail

_LEAST = 1e-3  # a share that is always drawn
_SHOWN = 0.6  # of the strangers' images: what lies farther tells nothing of thresholds
_POINTS = 300


def tail(fitted: Tail, fpirs: Sequence[float]) -> Figure:
    """Draw the share of strangers' images within a distance: as seen, and as fitted.

    Each identity weighs the same. Vertical lines are the thresholds for these FPIRs.
    """
    figure, ((axis,),) = panels(1, 1, width=8.4, height=4)
    thresholds = [fitted.threshold(fpir) for fpir in fpirs]
    right = max(*thresholds, fitted.threshold(_SHOWN))
    left = min(*thresholds, float(fitted.values[0]))
    left -= 0.05 * (right - left)
    images = np.bincount(fitted.owner)
    shares = np.cumsum(1 / (images[fitted.owner] * images.size))
    axis.step(fitted.values, shares, where="post", color=COLOURS[0], label="seen")
    grid = np.linspace(left, right, _POINTS)
    curve = [fitted.fpir(float(distance)) for distance in grid]
    axis.plot(grid, curve, color=COLOURS[1], linewidth=1.8, label="fitted")
    for fpir, threshold in zip(fpirs, thresholds, strict=True):
        axis.axvline(threshold, color=INK, linestyle=":", linewidth=1.2)
        axis.plot(threshold, fpir, "o", color=INK, markersize=4)
        axis.annotate(
            percent(fpir),
            (threshold, 1),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize=8,
            color=INK,
        )
    axis.set_xlim(left, right)
    _shares(axis, min(_LEAST, *fpirs) / 3)
    axis.set_xlabel("distance to the nearest entry, relative to that of the cluster", fontsize=9)
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _shares(axis: Axes, least: float) -> None:
    axis.set_yscale("log")
    axis.set_ylim(least, 1)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_ylabel("share of strangers' images", fontsize=9)
