"""How often the nearest class is the right one, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.one_shot.runs import Run
from recognition.bootstrap import IdentityDraws, interval
from recognition.distance import FloatArray, distances

Array = NDArray[np.float64]
Cell = tuple[int, str]
"""A split and a group."""

WITHIN, FILLED = "within", "filled"
"""Among the classes of the group alone; and with strangers up to the number of ways."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What p probes were taken for, in the runs of all splits.

    Attributes:
        cells: (p,) split and group of each probe.
        labels: (p,) identity of each probe.
        ways: (p, 2) between how many classes was chosen, within and filled.
        right: by model, (p, 2): 1 where the class was the right one.
    """

    cells: list[Cell]
    labels: list[str]
    ways: Array
    right: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, between the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """One group, or the mean of them.

    Attributes:
        group: its name.
        fewest: classes of a run, in the smallest split.
        most: in the largest.
        chance: of guessing right.
        accuracy: by model.
        gain: of each model but the last over the last.
    """

    group: str
    fewest: int
    most: int
    chance: float
    accuracy: Mapping[str, Estimate]
    gain: Mapping[str, Estimate]


def classify(run: Run, embeddings: FloatArray) -> Array:
    """Return (n, 2): 1 where the nearest class by the cosine is the right one, within and filled.

    Args:
        run: n probes.
        embeddings: (m, d), those of all images.
    """
    near = distances(embeddings[run.probes], embeddings[np.append(run.own, run.strangers)])
    truth = np.arange(len(run.probes))
    within = near[:, : len(run.own)].argmin(axis=1) == truth
    return np.stack([within, near.argmin(axis=1) == truth], axis=1).astype(np.float64)


def ask(
    runs: Mapping[int, Sequence[Run]],
    labels: Sequence[str],
    models: Mapping[str, Mapping[int, FloatArray]],
) -> Answers:
    """Put the runs of each split to every model.

    Args:
        runs: by split.
        labels: (m,) of all images.
        models: by name and split the embeddings (m, d) of all images.
    """
    asked = [(split, run) for split, some in runs.items() for run in some]
    sizes = [len(run.probes) for _, run in asked]
    ways = np.array([[len(r.own), len(r.own) + len(r.strangers)] for _, r in asked], np.float64)
    return Answers(
        cells=[(split, run.group) for split, run in asked for _ in run.probes],
        labels=[labels[i] for _, run in asked for i in run.probes],
        ways=np.repeat(ways, sizes, axis=0),
        right={
            name: np.concatenate([classify(run, by_split[split]) for split, run in asked])
            for name, by_split in models.items()
        },
    )


def lines(answers: Answers, what: str, draws: int) -> list[Line]:
    """Return a line for each group and one for the mean; ``what`` is ``WITHIN`` or ``FILLED``.

    A group counts the same however many identities it has, and so does a split. Intervals are by
    resampling identities, the same ones for every model.
    """
    column = (WITHIN, FILLED).index(what)
    cells = sorted(set(answers.cells))
    belongs = np.array([[cell == mine for cell in cells] for mine in answers.cells])
    resampled = IdentityDraws(answers.labels, draws=draws)

    def spread(values: Array) -> Array:
        """(1 + draws, cells): the mean of each cell as it is, then of each draw."""
        own = np.where(belongs, values[:, column, None], np.nan)
        return np.vstack([np.nanmean(own, axis=0), resampled.means(own, answers.labels)])

    ways = np.nanmean(np.where(belongs, answers.ways[:, column, None], np.nan), axis=0)
    means = {name: spread(values) for name, values in answers.right.items()}
    groups = sorted({group for _, group in cells})
    scopes = {group: [i for i, (_, own) in enumerate(cells) if own == group] for group in groups}
    scopes["mean"] = list(range(len(cells)))
    return [
        _line(name, ways[which], {model: values[:, which] for model, values in means.items()})
        for name, which in scopes.items()
    ]


def _line(name: str, ways: Array, means: Mapping[str, Array]) -> Line:
    *others, last = means
    return Line(
        group=name,
        fewest=int(ways.min()),
        most=int(ways.max()),
        chance=float((1 / ways).mean()),
        accuracy={model: _estimate(values) for model, values in means.items()},
        gain={model: _estimate(means[model] - means[last]) for model in others},
    )


def _estimate(values: Array) -> Estimate:
    """From (1 + draws, cells); a draw that has no probe of a cell leaves the cell out."""
    known = ~np.isnan(values)
    counts = known.sum(axis=1)
    totals = np.where(known, values, 0).sum(axis=1)
    mean = np.divide(totals, counts, out=np.full(len(totals), np.nan), where=counts > 0)
    low, high = interval(mean[1:])
    return Estimate(float(mean[0]), low, high)
