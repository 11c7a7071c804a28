"""What a simulation leaves in a folder: its figures, and pictures of effort and error over time."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from lab.evaluate.words import percent
from lab.shown.report import writing
from lab.shown.style import colour, legend, panels, save, title
from lab.simulate.report import Curves, Shares, SimulationReport, SystemReport, order
from lab.simulate.variants import names

REPORT = "simulation.json"


def write(folder: Path, report: SimulationReport) -> None:
    """Write ``simulation.json``, ``effort.png`` and ``error.png``; the folder is made."""
    with writing(folder):
        (folder / REPORT).write_text(report.model_dump_json(indent=1), encoding="utf-8")
        save(effort(report), folder / "effort.png")
        save(error(report), folder / "error.png")


def effort(report: SimulationReport) -> Figure:
    """Draw the share of the frames that needed a person."""
    heading = f"went to a person,\nof the last {report.window} frames"
    return _figure(report, heading, lambda curves: curves.review, top=1)


def error(report: SimulationReport) -> Figure:
    """Draw the share of the identified frames that were named wrongly."""
    heading = f"wrong, of those that the matcher\nnamed in the last {report.window} frames"
    return _figure(report, heading, lambda curves: curves.error, top=None)


def _figure(
    report: SimulationReport, heading: str, which: Callable[[Curves], Shares], top: float | None
) -> Figure:
    answers = sorted({variant.wrong_answers for variant in report.variants})
    figure, (axes,) = panels(1, len(answers), width=5.2, height=3.8, same_y=True)
    for axis, share in zip(axes, answers, strict=True):
        title(axis, [report.data, f"{percent(share)} of the answers wrong"])
        _lines(axis, [v for v in report.variants if v.wrong_answers == share], which)
        axis.set_xlabel(f"frames so far, {order(report)}", fontsize=9)
        axis.set_xlim(0, report.frames)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axes[0].set_ylim(0, top)
    axes[0].set_ylabel(heading, fontsize=9)
    legend(figure, axes[0], columns=2)
    return figure


def _lines(axis: Axes, variants: Sequence[SystemReport], which: Callable[[Curves], Shares]) -> None:
    """Draw a line each: a colour for the conditioning and the inclusion, dots without MAD."""
    kinds = list(dict.fromkeys((v.conditioning, v.include) for v in variants))
    both = len({variant.mad for variant in variants}) > 1
    labels = names([variant.parts[:-1] for variant in variants])
    for variant, label in zip(variants, labels, strict=True):
        shares = [np.nan if share is None else share for share in which(variant.curves)]
        axis.plot(
            variant.curves.frames,
            shares,
            color=colour(kinds.index((variant.conditioning, variant.include))),
            linestyle=":" if both and variant.mad is None else "-",
            linewidth=1.6,
            label=label,
        )
