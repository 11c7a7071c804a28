"""What matching conditioned on groups of backgrounds gains, on identities of another fold."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.conditioning import Cohort, Placed, place
from recognition.distance import FloatArray, prepare
from recognition.findings import Gain
from recognition.half_samples import TrialScores, difference, joined
from recognition.judge import judge
from recognition.statistics import fit_statistics
from recognition.trials import draw_trials

FOLDS: Final = 2
TRIALS: Final = 40  # a fold


def conditioning_gain(
    embeddings: FloatArray,
    identities: Sequence[str],
    groups: NDArray[np.intp],
    *,
    fpir: float = 0.05,
    sessions: Sequence[str] | None = None,
) -> Gain | None:
    """Return what the groups gain over none, everything else being equal.

    The identities are divided into two folds. Those of one are recognised with the statistics, the
    local scale and the thresholds of their group that the other gives, and with those of all groups
    together; then the other way round. The interval is that of
    :func:`~recognition.half_samples.difference`, halves being drawn of both folds.

    Args:
        embeddings: (n, d), finite.
        groups: (n,), from 0 on; -1 for an image that is in none, which is placed as all are.
        fpir: met on each trial itself.
        sessions: of each, as in :func:`~recognition.trials.draw_trials`.

    None where the identities of a fold are too few for a trial.
    """
    names = np.asarray(identities, dtype=np.str_)
    unit = prepare(embeddings)
    everyone = np.unique(names)
    order = np.random.default_rng(0).permutation(everyone.size)
    fold = dict(zip(everyone[order].tolist(), np.arange(everyone.size) % FOLDS, strict=True))
    folds = np.array([fold[name] for name in names.tolist()])
    plain: list[TrialScores] = []
    grouped: list[TrialScores] = []
    for held in range(FOLDS):
        own = np.flatnonzero(folds == held)
        try:
            trials = draw_trials(
                names[own].tolist(),
                None if sessions is None else [sessions[i] for i in own.tolist()],
                draws=TRIALS,
            )
        except ValueError:
            return None
        for scores, codes in ((plain, np.zeros_like(groups)), (grouped, groups)):
            k = int(codes.max(initial=0)) + 1
            placed = _place(unit, codes, k, folds != held, own)
            # Folds are halved each in its way: what lies at one place in both is in other halves.
            scores.append(judge(placed, np.ones((k, k)), names[own], trials, fpir, seed=held))
    without, conditioned = joined(plain), joined(grouped)
    gain = difference(conditioned, without)
    return Gain(gain.mean, *gain.interval, without.mean, conditioned.mean)


def _place(
    unit: FloatArray,
    codes: NDArray[np.intp],
    k: int,
    seen: NDArray[np.bool_],
    own: NDArray[np.intp],
) -> Placed:
    statistics = fit_statistics(unit[seen], codes[seen], k)
    cohort = Cohort(statistics.standardise(unit[seen], codes[seen]))
    return place(unit[own], codes[own], statistics, cohort)
