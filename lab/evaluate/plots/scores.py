"""How far known and unknown probes lie from the gallery, and where τ cuts."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.evaluate.exam import TrialResult, VariantResult
from lab.evaluate.thresholds import OperatingTarget, Rule
from lab.evaluate.words import percent
from lab.shown.style import COLOURS, INK, legend, panels, title

_BINS = 60
_SHOWN = 0.99  # of the probes: a few far ones would squeeze all others


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
