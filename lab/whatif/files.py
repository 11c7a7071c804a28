"""What a what-if leaves in a folder: the curve, and a picture of it."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from client.activation import words_of
from lab.evaluate.words import percent
from lab.shown.report import writing
from lab.shown.style import COLOURS, INK, QUIET, legend, panels, save, title
from lab.whatif.whatif import CurvePoint, WhatIf
from lab.whatif.words import PER

_MIN_RATE = 0.01  # false matches per PER probes: below this, the axis is linear down to none


def write(folder: Path, curve: WhatIf) -> None:
    """Write ``whatif.json`` and ``whatif.png``; the folder is made."""
    with writing(folder):
        (folder / "whatif.json").write_text(curve.model_dump_json(indent=1), encoding="utf-8")
        save(draw(curve), folder / "whatif.png")


def draw(curve: WhatIf) -> Figure:
    """Draw false matches over review load, a dot for each FPIR; the present one stands out."""
    figure, grid = panels(1, 1, width=6.4, height=4.8)
    axis = grid[0][0]
    title(axis, [words_of(curve.conditioning), f"the last {curve.probes} probes"])
    reviews = [100 * point.review for point in curve.points]
    shares, lows, highs = (
        [PER * point.false_matches[number] for point in curve.points] for number in range(3)
    )
    axis.fill_between(reviews, lows, highs, color=COLOURS[0], alpha=0.15, linewidth=0)
    axis.plot(reviews, shares, color=COLOURS[0], marker="o", ms=4, lw=1.8, label="to be expected")
    _observed(axis, curve, reviews)
    for point in curve.points:
        _name(axis, point)
    _axes(axis, min([share for share in shares if share > 0], default=1.0))
    legend(figure, axis)
    return figure


def _name(axis: Axes, point: CurvePoint) -> None:
    at = (100 * point.review, PER * point.false_matches.share)
    if point.asked:
        axis.plot(*at, "o", ms=9, color=COLOURS[1], label="at present", zorder=3)
    axis.annotate(
        percent(point.fpir),
        at,
        xytext=(6, 5),
        textcoords="offset points",
        fontsize=8,
        color=COLOURS[1] if point.asked else INK,
        weight="bold" if point.asked else "normal",
    )


def _observed(axis: Axes, curve: WhatIf, reviews: list[float]) -> None:
    """Draw what people's answers tell: wrong names among the probes that they named."""
    wrong = [PER * p.verified.wrong / curve.probes for p in curve.points if p.verified is not None]
    if wrong:
        axis.plot(
            reviews,
            wrong,
            "x",
            ms=6,
            color=QUIET,
            clip_on=False,
            label="wrong, by people's answers",
        )


def _axes(axis: Axes, least: float) -> None:
    axis.set_yscale("symlog", linthresh=max(least, _MIN_RATE))
    axis.set_ylim(bottom=0)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axis.margins(x=0.1)
    axis.set_xlabel("share of the probes that go to review", fontsize=9)
    axis.set_ylabel(f"false matches per {PER} probes", fontsize=9)
