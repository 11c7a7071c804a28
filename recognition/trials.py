"""Many small trials on one part: for choosing, where one trial would be a lottery."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.bootstrap import Interval
from recognition.cluster_tails import cluster_scales
from recognition.conditioning import Cohort, Placed, conditioned, place
from recognition.distance import FloatArray, distances, prepare
from recognition.evaluation import Labels, identify, tpir_at_fpir
from recognition.findings import Gain
from recognition.protocol import Trial, random_trial, sessions_of
from recognition.statistics import fit_statistics

IDENTITIES_KNOWN = 0.6
"""Of the identities in one trial."""

_SIDES = 1.96  # standard errors, of a 95 % interval
FOLDS: Final = 2
TRIALS: Final = 40  # a fold


def draw_trials(
    labels: Sequence[str],
    sessions: Sequence[str] | None = None,
    *,
    shots: int = 3,
    draws: int = 40,
    seed: int = 0,
    apart: NDArray[np.float64] | None = None,
) -> list[Trial]:
    """Enrol 60 % of the identities anew, ``draws`` times; all the others are unknown.

    The same seed draws the same trials whatever the embeddings are, so that two ways to compare
    can be compared.

    Args:
        sessions: of each image, as in :func:`~recognition.protocol.make_splits`; no session is
            both enrolled and looked up. None makes each image a session of its own.
        shots: the most images of an identity in a gallery.
        apart: (n, n), how different the backgrounds of two images are. Where given, each trial
            draws an image and enrols those whose background is most like that one's: the gallery
            holds one condition, and the probes come under others.

    Raises:
        ValueError: the lengths differ, ``draws`` is below 1, or there are not two identities, one
            of two sessions.
    """
    if draws < 1:
        raise ValueError(f"expected at least one draw, got {draws}")
    given = [""] * len(labels) if sessions is None else sessions
    images = sessions_of(labels, given)
    rng = np.random.default_rng(seed)
    trials = []
    for _ in range(draws):
        strangeness = None if apart is None else apart[rng.integers(len(labels))]
        trials.append(random_trial(images, IDENTITIES_KNOWN, shots, rng, strangeness))
    return trials


def tpirs(
    matrix: FloatArray, labels: Sequence[str], trials: Sequence[Trial], fpir: float
) -> NDArray[np.float64]:
    """Return the TPIR of each trial at an FPIR that is met on the trial itself.

    ``matrix`` (n, n) holds the distance of every image to every other, those probed in rows.
    """
    everyone = np.asarray(labels, dtype=np.str_)
    near = (matrix[np.ix_(trial.probes, trial.gallery)] for trial in trials)
    scores = [tpir_of(*pair, everyone, fpir) for pair in zip(near, trials, strict=True)]
    return np.array(scores, dtype=np.float64)


def tpir_of(near: FloatArray, trial: Trial, labels: Labels, fpir: float) -> float:
    """Return the TPIR of one trial by the distances ``near`` (p, g) of its probes to its gallery.

    ``labels`` (n,) are those of all images; the FPIR is met on the trial itself.
    """
    identified = identify(near, labels[trial.gallery], labels[trial.probes])
    return tpir_at_fpir(identified, fpir).tpir


def difference(
    scores: NDArray[np.float64], others: NDArray[np.float64], identities: int
) -> tuple[float, float]:
    """Return mean and standard error of the difference of two scores over the same trials.

    The trials share their ``identities``, so these are what the error counts.
    """
    apart = scores - others
    return float(apart.mean()), float(apart.std() / np.sqrt(identities))


def around(mean: float, error: float) -> Interval:
    """Return the 95 % interval of a mean with this standard error."""
    return Interval(mean - _SIDES * error, mean + _SIDES * error)


def resampled_tpir(
    embeddings: FloatArray,
    labels: Sequence[str],
    *,
    fpir: float = 0.05,
    shots: int = 3,
    draws: int = 40,
    seed: int = 0,
    sessions: Sequence[str] | None = None,
) -> float:
    """Return the mean :func:`tpirs` over :func:`draw_trials` of embeddings (n, d) by the cosine."""
    if len(embeddings) != len(labels):
        raise ValueError(
            f"expected one label per embedding, got {len(embeddings)} and {len(labels)}"
        )
    trials = draw_trials(labels, sessions, shots=shots, draws=draws, seed=seed)
    return float(tpirs(distances(embeddings, embeddings), labels, trials, fpir).mean())


def judge(
    placed: Placed,
    levels: NDArray[np.float64],
    identities: NDArray[np.str_],
    trials: Sequence[Trial],
    fpir: float,
) -> NDArray[np.float64]:
    """Return the TPIR of each trial at an FPIR that is met on the trial itself.

    Each cluster has its own threshold there: distances count relative to how near the others, all
    of them strangers when their own identity is left out, come from that cluster.
    """
    matrix = conditioned(placed, placed, levels)
    codes = np.unique(identities, return_inverse=True)[1]  # numbers are compared faster
    same = codes[:, None] == codes
    scores = np.empty(len(trials))
    for at, trial in enumerate(trials):
        others = np.where(same[:, trial.gallery], np.inf, matrix[:, trial.gallery]).min(axis=1)
        scales = cluster_scales(others, codes, placed.clusters, len(levels))
        near = matrix[np.ix_(trial.probes, trial.gallery)]
        near /= scales[placed.clusters[trial.probes], None]
        scores[at] = tpir_of(near, trial, identities, fpir)
    return scores


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
    together; then the other way round. The interval is that of the mean difference over the trials,
    whose standard error counts identities.

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
    plain: list[NDArray[np.float64]] = []
    grouped: list[NDArray[np.float64]] = []
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
            scores.append(judge(placed, np.ones((k, k)), names[own], trials, fpir))
    without, conditioned = np.concatenate(plain), np.concatenate(grouped)
    gain, error = difference(conditioned, without, everyone.size)
    low, high = around(gain, error)
    return Gain(gain, low, high, float(without.mean()), float(conditioned.mean()))


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
