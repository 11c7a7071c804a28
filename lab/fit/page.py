"""The report as one page, with all that it shows in it, and the folder that it lies in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from lab.evaluate.words import percent
from lab.fit.fitting import FitResult
from lab.fit.report import FitReport, RaceReport
from lab.fit.words import between, doubt, finding, promise
from lab.shown import html
from lab.shown.report import writing
from lab.shown.style import COLOURS, INK, QUIET, data_uri, panels
from recognition.calibration import Bin
from recognition.tail import Tail
from streams.conditioning.artefact import Artefact, save_artefact

_ROW = 0.26  # inches
_FIGURES = 1.02  # where they stand, as a share of the width
_MIN_SHARE = 1e-3  # a share that is always drawn
_SHOWN = 0.6  # of the strangers' images: what lies farther tells nothing of thresholds
_POINTS = 300
_MAX_DOT = 14  # points across, of the bin of most answers
PAGE: Final = "report.html"


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


def page(report: FitReport, result: FitResult, name: str, version: str) -> str:
    """Return the HTML of a report."""
    fpirs = [each.fpir for each in report.expected]
    calibrated = report.calibration_error is not None
    return html.page(
        "lab.fit",
        title=f"Conditioning {name}",
        facts=_facts(report, version),
        report=report,
        finding=finding(report),
        promise=promise(report),
        doubt=doubt(report),
        heaviest=max((each.weight or 0.0 for each in report.variables), default=0.0),
        race=data_uri(gains(report.race)),
        tail=data_uri(tail(result.typical.tails.tail, fpirs)),
        reliability=data_uri(reliability(report.reliability)) if calibrated else None,
        percent=percent,
        between=between,
    )


def _facts(report: FitReport, version: str) -> tuple[str, ...]:
    origin = report.origin
    return (
        f"version {version}, for {origin.model}",
        f"{origin.data}, split {origin.split}",
        f"made from {origin.seen.images:,} images of {origin.seen.identities} identities",
        f"judged by {origin.held_out.images:,} of {origin.held_out.identities} others",
        f"FPIR {percent(origin.fpir)}",
        f"{origin.made_at:%d %B %Y}",
    )


def write(folder: Path, report: FitReport, result: FitResult, name: str) -> Artefact:
    """Write the artefact and ``report.html``; the folder is made."""
    artefact = save_artefact(
        folder,
        name=name,
        model=report.origin.model,
        fpir=report.origin.fpir,
        conditioning=result.fitted.conditioning,
        calibration=result.calibration,
        about=report.model_dump(mode="json"),
    )
    with writing(folder):
        (folder / PAGE).write_text(page(report, result, name, artefact.version), encoding="utf-8")
    return artefact
