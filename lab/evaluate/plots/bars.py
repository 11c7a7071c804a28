"""What one background variable does: a group of bars for each of its values."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.evaluate.measures import FPIR, RANK1, TPIR, at
from lab.evaluate.report import Estimate, Evaluation, Scenario
from lab.evaluate.thresholds import OperatingTarget, Rule
from lab.evaluate.words import NOTHING, percent
from lab.shown.style import INK, QUIET, colour, legend, panels, title

_MAX_WIDTH = 5.5  # inches
_LEVEL_LETTERS = 40  # in all names together, so that they fit side by side


def bars(evaluation: Evaluation, variable: str, fpir: float) -> Figure:
    """Draw rank-1, TPIR and the FPIR met by value of ``variable``.

    At the honest threshold, or the oracle's where there is no calibrate part. A row per scenario;
    whiskers are the 95 % intervals. One threshold serves all values: where the FPIR met differs
    between them, it fits none of them.
    """
    scenarios = evaluation.variants[0].scenarios
    values = evaluation.variables[variable]
    width = min(max(3.6, 0.9 + len(values) * (0.22 + 0.16 * len(evaluation.variants))), _MAX_WIDTH)
    figure, grid = panels(len(scenarios), 3, width=width, height=2.9)
    for row, (scenario, measured) in zip(grid, scenarios.items(), strict=True):
        for axis, (heading, measure) in zip(row, _shown(measured, fpir), strict=True):
            title(axis, [scenario, heading])
            _ticks(axis, values)
            for number, variant in enumerate(evaluation.variants):
                groups = {group.value: group for group in variant.scenarios[scenario].by[variable]}
                shown = [groups[v].measures[measure] if v in groups else None for v in values]
                _draw(axis, shown, number, len(evaluation.variants), variant.name)
            axis.set_ylim(0, 1 if axis is not row[-1] else None)
        row[-1].axhline(fpir, color=QUIET, linestyle="--", linewidth=1)
    for axis in grid[-1]:
        axis.set_xlabel(variable, fontsize=9)
    if len(evaluation.variants) > 1:
        legend(figure, grid[0][0])
    return figure


def _shown(scenario: Scenario, fpir: float) -> list[tuple[str, str]]:
    """Return heading and measure of each panel."""
    honest = OperatingTarget(fpir, Rule.HONEST)
    known = scenario.measures[at(TPIR, honest)].mean is not None
    point = honest if known else OperatingTarget(fpir, Rule.ORACLE)
    return [
        ("rank-1", RANK1),
        (f"TPIR, {point.rule} τ for FPIR {percent(fpir)}", at(TPIR, point)),
        (f"FPIR met, {percent(fpir)} asked", at(FPIR, point)),
    ]


def _ticks(axis: Axes, values: Sequence[str]) -> None:
    level = max(map(len, values)) * len(values) <= _LEVEL_LETTERS
    axis.set_xticks(
        np.arange(len(values)),
        values,
        rotation=0 if level else 40,
        ha="center" if level else "right",
        rotation_mode="anchor",
    )
    axis.set_xlim(-0.6, len(values) - 0.4)
    axis.grid(visible=False, axis="x")


def _draw(
    axis: Axes, estimates: Sequence[Estimate | None], number: int, of: int, label: str
) -> None:
    """Draw the bars of the ``number``-th of so many variants; a dash where there is none."""
    thickness = 0.8 / of
    shift = (number - (of - 1) / 2) * thickness
    axis.plot([], [], "s", color=colour(number), label=label)  # for the legend
    for place, estimate in enumerate(estimates):
        if estimate is None or estimate.mean is None:
            axis.annotate(NOTHING, (place + shift, 0), ha="center", va="bottom", color=QUIET)
            continue
        axis.bar(place + shift, estimate.mean, thickness * 0.92, color=colour(number))
        low = estimate.mean if estimate.low is None else min(estimate.low, estimate.mean)
        high = estimate.mean if estimate.high is None else max(estimate.high, estimate.mean)
        axis.vlines(place + shift, low, high, color=INK, linewidth=0.9, alpha=0.8)
