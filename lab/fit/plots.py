"""The pictures of the report; each takes what it draws and returns a figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from lab.evaluate.words import percent
from lab.fit.report import RaceReport
from lab.shown.style import COLOURS, INK, QUIET, panels
from recognition.reliability import Bin
from recognition.tail import Tail

_ROW = 0.26  # inches
_FIGURES = 1.02  # where they stand, as a share of the width
_MIN_SHARE = 1e-3  # a share that is always drawn
_SHOWN = 0.6  # of the strangers' images: what lies farther tells nothing of thresholds
_POINTS = 300
_MAX_DOT = 14  # points across, of the bin of most answers


def gains(report: RaceReport) -> Figure:
    """Draw the gain of each way over plain distances, with its interval; the chosen one stands out.

    The numbers at the right are the TPIR.
    """
    rows = len(report.ways)
    figure, ((axis,),) = panels(1, 1, width=8.4, height=1.1 + _ROW * rows)
    for row, way in enumerate(report.ways):
        chosen = row == report.chosen
        shade = COLOURS[1] if chosen else COLOURS[0]
        axis.hlines(row, 100 * way.low, 100 * way.high, color=shade, alpha=0.5, linewidth=2.5)
        axis.plot(100 * way.gain, row, "o", color=shade, markersize=7 if chosen else 5)
        text = axis.text(
            _FIGURES, row, f"{way.tpir:.3f}", transform=axis.get_yaxis_transform(), va="center"
        )
        text.set(fontsize=8, color=INK, fontweight="bold" if chosen else "normal")
    axis.axvline(0, color=QUIET, linewidth=1)
    axis.set_yticks(range(rows), [way.way for way in report.ways])
    axis.get_yticklabels()[report.chosen].set_fontweight("bold")
    axis.set_ylim(rows - 0.4, -0.6)
    axis.grid(visible=False, axis="y")
    axis.text(_FIGURES, -1, "TPIR", transform=axis.get_yaxis_transform(), color=INK, fontsize=8)
    axis.set_xlabel(f"points of TPIR gained at FPIR {percent(report.fpir)}", fontsize=9)
    return figure


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
    _shares(axis, min(_MIN_SHARE, *fpirs) / 3)
    axis.set_xlabel("distance to the nearest entry, relative to that of the cluster", fontsize=9)
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _shares(axis: Axes, least: float) -> None:
    axis.set_yscale("log")
    axis.set_ylim(least, 1)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_ylabel("share of strangers' images", fontsize=9)


def reliability(bins: Sequence[Bin]) -> Figure:
    """Draw the share right over the probability; a dot's area is how many answers it stands for."""
    figure, ((axis,),) = panels(1, 1, width=4.6, height=4.4)
    axis.plot([0, 1], [0, 1], color=QUIET, linestyle="--", linewidth=1)
    most = max(each.count for each in bins)
    predicted, observed = [each.predicted for each in bins], [each.observed for each in bins]
    axis.plot(predicted, observed, color=COLOURS[0], linewidth=1.2)
    axis.scatter(
        predicted,
        observed,
        s=[max(_MAX_DOT**2 * each.count / most, 6) for each in bins],
        color=COLOURS[0],
        alpha=0.75,
        linewidths=0,
        clip_on=False,
    )
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.set_xlabel("probability", fontsize=9)
    axis.set_ylabel("share that was right", fontsize=9)
    return figure
