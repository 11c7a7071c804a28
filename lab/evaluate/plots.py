"""The pictures of an evaluation: bars by value, the detection error trade-off, and distances."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy.special import ndtr, ndtri

from lab.evaluate.exam import TrialResult, VariantResult
from lab.evaluate.measures import FPIR, RANK1, TPIR, at
from lab.evaluate.report import Estimate, Evaluation, Scenario
from lab.evaluate.scored import OperatingTarget, Rule
from lab.evaluate.words import NOTHING, percent
from lab.shown.style import COLOURS, INK, QUIET, colour, legend, panels, title
from recognition.evaluation import Float64, Identified

_MAX_WIDTH = 5.5  # inches
_LEVEL_LETTERS = 40  # in all names together, so that they fit side by side
_LOWEST, _HIGHEST = 0.0005, 0.9995
_TICKS: Final = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)
_GRID: Final = ndtr(np.linspace(ndtri(_LOWEST), ndtri(_HIGHEST), 200))
_BINS = 60
_SHOWN = 0.99  # of the probes: a few far ones would squeeze all others


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


def scores(assessed: Sequence[VariantResult], fpir: float) -> Figure:
    """Draw histograms of the distance to the nearest entry, all splits together.

    A column per scenario and a row per variant. Lines show the thresholds for ``fpir``, the mean
    over the splits.
    """
    scenarios = list(assessed[0].trials)
    figure, grid = panels(len(assessed), len(scenarios), width=5.2, height=2.9)
    for row, result in zip(grid, assessed, strict=True):
        for axis, scenario in zip(row, scenarios, strict=True):
            title(axis, [result.variant.name, scenario])
            _histograms(axis, result.trials[scenario])
            _thresholds(axis, result.trials[scenario], fpir)
            axis.set_xlabel(f"{result.variant.distance} distance to the nearest entry", fontsize=9)
        row[0].set_ylabel("share of these probes", fontsize=9)
    legend(figure, grid[0][0], columns=5)
    return figure


def _histograms(axis: Axes, trials: Mapping[int, TrialResult]) -> None:
    probes = [tested.scored.identified for tested in trials.values()]
    distance = np.concatenate([each.distance for each in probes])
    known = np.concatenate([each.known for each in probes])
    right = np.concatenate([each.right for each in probes])
    edges = np.linspace(distance.min(), np.quantile(distance, _SHOWN), _BINS + 1)
    kinds = (
        ("known, nearest is right", known & right, known, COLOURS[0]),
        ("known, nearest is wrong", known & ~right, known, COLOURS[4]),
        ("unknown", ~known, ~known, COLOURS[1]),
    )
    for label, those, among, shade in kinds:
        counts, _ = np.histogram(distance[those], edges)
        shares = counts / max(int(np.count_nonzero(among)), 1)
        axis.stairs(shares, edges, fill=True, color=shade, alpha=0.3, label=label)
        axis.stairs(shares, edges, color=shade, linewidth=1.2)


def _thresholds(axis: Axes, trials: Mapping[int, TrialResult], fpir: float) -> None:
    for rule, dashes in ((Rule.ORACLE, "--"), (Rule.HONEST, ":")):
        every = [tested.thresholds[OperatingTarget(fpir, rule)] for tested in trials.values()]
        present = [threshold for threshold in every if np.isfinite(threshold)]
        if present:
            axis.axvline(
                float(np.mean(present)),
                color=INK,
                linestyle=dashes,
                linewidth=1.3,
                label=f"τ for FPIR {percent(fpir)}, {rule}",
            )
