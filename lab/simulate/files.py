"""What a simulation leaves in a folder: its figures, and pictures of effort and error."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from lab.evaluate.words import percent
from lab.shown.report import writing
from lab.shown.style import QUIET, colour, legend, panels, save, title
from lab.simulate.report import Curves, Shares, SimulationReport, SystemReport, order
from lab.simulate.variants import names

REPORT = "simulation.json"

Line = tuple[Sequence[int], Shares]
"""What a line is drawn through: where it stands along the axis, and the shares there."""


def write(folder: Path, report: SimulationReport) -> None:
    """Write ``simulation.json`` and a picture for each of :data:`PICTURES`; the folder is made."""
    with writing(folder):
        (folder / REPORT).write_text(report.model_dump_json(indent=1), encoding="utf-8")
        for name, draw in PICTURES.items():
            save(draw(report), folder / name)


def effort(report: SimulationReport) -> Figure:
    """Draw the share of the frames that needed a person."""
    heading = f"went to a person,\nof the last {report.window} frames"
    return _over_frames(report, heading, lambda curves: curves.review, top=1)


def error(report: SimulationReport) -> Figure:
    """Draw the share of the identified frames that were named wrongly."""
    heading = f"wrong, of those that the matcher\nnamed in the last {report.window} frames"
    return _over_frames(report, heading, lambda curves: curves.error, top=None)


def decisions(report: SimulationReport) -> Figure:
    """Draw what came right against the decisions of people that it took.

    The dashed line is a person who names every frame.
    """
    figure = _figure(
        report,
        "named rightly so far, of all frames",
        lambda variant: (variant.by_decisions.decisions, variant.by_decisions.right),
        top=1,
    )
    for axis in figure.axes:
        axis.plot((0, report.frames), (0, 1), color=QUIET, linestyle="--", linewidth=1, zorder=1)
        axis.set_xlabel("decisions of a person so far", fontsize=9)
    return figure


PICTURES: Final[Mapping[str, Callable[[SimulationReport], Figure]]] = {
    "effort.png": effort,
    "error.png": error,
    "decisions.png": decisions,
}


def _over_frames(
    report: SimulationReport, heading: str, which: Callable[[Curves], Shares], top: float | None
) -> Figure:
    figure = _figure(report, heading, lambda v: (v.curves.frames, which(v.curves)), top)
    for axis in figure.axes:
        axis.set_xlabel(f"frames so far, {order(report)}", fontsize=9)
    return figure


def _figure(
    report: SimulationReport, heading: str, line: Callable[[SystemReport], Line], top: float | None
) -> Figure:
    answers = sorted({variant.wrong_answers for variant in report.variants})
    figure, (axes,) = panels(1, len(answers), width=5.2, height=3.8, same_y=True)
    for axis, share in zip(axes, answers, strict=True):
        title(axis, [report.data, f"{percent(share)} of the answers wrong"])
        _lines(axis, [v for v in report.variants if v.wrong_answers == share], line)
        axis.set_xlim(0, report.frames)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axes[0].set_ylim(0, top)
    axes[0].set_ylabel(heading, fontsize=9)
    legend(figure, axes[0], columns=2)
    return figure


def _lines(
    axis: Axes, variants: Sequence[SystemReport], line: Callable[[SystemReport], Line]
) -> None:
    """Draw a line each: a colour for the conditioning and the inclusion, dots without MAD."""
    kinds = list(dict.fromkeys((v.conditioning, v.include) for v in variants))
    both = len({variant.mad for variant in variants}) > 1
    labels = names([variant.parts[:-1] for variant in variants])
    for variant, label in zip(variants, labels, strict=True):
        along, shares = line(variant)
        axis.plot(
            along,
            [np.nan if share is None else share for share in shares],
            color=colour(kinds.index((variant.conditioning, variant.include))),
            linestyle=":" if both and variant.mad is None else "-",
            linewidth=1.6,
            label=label,
        )
