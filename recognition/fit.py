"""Fitting a conditioning: which clusters, and what to do with them, by what it gains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.background import Background, Encoder
from recognition.candidates import (
    COUNTS,
    CandidateResult,
    ConditioningCandidate,
    Standard,
    candidates,
    choose,
    evaluate_candidates,
)
from recognition.clusters import Clusters, everything, fit_clusters
from recognition.conditioning import (
    Cohort,
    Conditioning,
    Impostors,
    Placed,
    conditioned,
    place,
    spaced,
)
from recognition.distance import FloatArray, prepare
from recognition.half_samples import TrialScores
from recognition.judge import judge
from recognition.protocol import Trial
from recognition.statistics import fit_statistics
from recognition.tail import PRIOR_IDENTITIES
from recognition.trials import draw_trials

FPIR: Final = 0.05
"""At which candidates are compared: the trials are too small to tell smaller ones."""

TRIALS: Final = 40
"""Of each kind: galleries of all conditions, and of one."""

MAX_COHORT: Final = 2000

SHARE = 0.01
"""The quantile of the distances of strangers that a level stands for."""


MIN_LEVEL = 0.1
"""However near strangers come from one cluster to another, distances are not blown up by more."""

_BLOCK = 512  # probes compared at once: bounds the memory to (_BLOCK, n) distances


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Labelled images: embeddings (n, d), and the identity, background and session of each."""

    embeddings: FloatArray
    identities: NDArray[np.str_]
    backgrounds: Sequence[Background]
    sessions: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FittedConditioning:
    """The conditioning that won, and how each candidate did."""

    conditioning: Conditioning
    chosen: ConditioningCandidate
    results: tuple[CandidateResult, ...]


def fit(
    encoder: Encoder,
    seen: Sample,
    held_out: Sample,
    *,
    counts: Sequence[int] = COUNTS,
    on_candidate: Callable[[ConditioningCandidate], None] = lambda _: None,
) -> FittedConditioning:
    """Fit the conditioning that gains most on identities that no part of it was made from.

    Every candidate is made from ``seen``, and recognises the identities of ``held_out`` in random
    trials, half of them with a gallery of one condition. One cluster is always among the
    candidates; :func:`~recognition.candidates.choose` says who wins.

    Raises:
        ValueError: the held-out identities are too few for a trial.
    """
    trials = mixed_and_single(encoder, held_out)
    conditionings: dict[ConditioningCandidate, Conditioning] = {}
    scores: dict[ConditioningCandidate, TrialScores] = {}
    clusters: dict[int, Clusters] = {}
    for candidate in candidates(counts):
        on_candidate(candidate)
        if candidate.k not in clusters:
            clusters[candidate.k] = find_clusters(encoder, seen, held_out, candidate.k)
        if len(clusters[candidate.k]) == 1 < candidate.k:
            continue  # fewer distinct backgrounds than k: the same result as k = 1, tried already
        conditionings[candidate] = condition(candidate, clusters[candidate.k], seen, held_out)
        strangers = conditionings[candidate].impostors
        scores[candidate] = judge(
            strangers.placed, conditionings[candidate].levels, strangers.identities, trials, FPIR
        )
    chosen = choose(scores)
    return FittedConditioning(conditionings[chosen], chosen, evaluate_candidates(scores))


def find_clusters(encoder: Encoder, seen: Sample, held_out: Sample, k: int) -> Clusters:
    """Return k clusters of all backgrounds, or fewer: labels play no part in it."""
    backgrounds = [*seen.backgrounds, *held_out.backgrounds]
    return (
        everything(len(backgrounds), encoder) if k == 1 else fit_clusters(encoder, backgrounds, k)
    )


def condition(
    candidate: ConditioningCandidate, clusters: Clusters, seen: Sample, held_out: Sample
) -> Conditioning:
    """Make the conditioning of a candidate: statistics, cohort and levels from ``seen``.

    The images of ``held_out`` are the strangers that set the thresholds.
    """
    k = len(clusters)
    groups = clusters.assign(seen.backgrounds).cluster
    unit = prepare(seen.embeddings)
    statistics = None
    if candidate.standard is not Standard.NONE:
        centre_only = candidate.standard is Standard.CENTRE
        statistics = fit_statistics(unit, groups, k, centre_only=centre_only)
    rows = spaced(len(unit), MAX_COHORT)
    cohort = None
    if candidate.scaled:
        cohort = Cohort(place(unit[rows], groups[rows], statistics, None).vectors)
    levels = np.ones((k, k))
    if candidate.levelled:
        apart = seen.identities[:, None] == seen.identities[rows]
        levels = fit_levels(place(unit, groups, statistics, cohort, apart), seen.identities, k)
    strangers = clusters.assign(held_out.backgrounds).cluster
    placed = place(held_out.embeddings, strangers, statistics, cohort)
    return Conditioning(
        clusters, statistics, cohort, levels, Impostors(placed, held_out.identities)
    )


def mixed_and_single(encoder: Encoder, sample: Sample) -> list[Trial]:
    """Draw trials with a gallery of all conditions, and as many with a gallery of one.

    Raises:
        ValueError: the identities are too few for a trial.
    """
    encoded = encoder.encode(sample.backgrounds)
    apart = np.nan_to_num(encoder.distances(encoded, encoded), nan=1.0)
    labels = sample.identities.tolist()
    return [
        *draw_trials(labels, sample.sessions, draws=TRIALS),
        *draw_trials(labels, sample.sessions, draws=TRIALS, seed=1, apart=apart),
    ]


def fit_levels(placed: Placed, identities: NDArray[np.str_], k: int) -> NDArray[np.float64]:
    """Return the level (k, k) of each pair of clusters, probe first.

    That is the 1 % quantile of the distances between different identities, over that of all pairs
    of clusters; drawn toward 1 by n/(n + 2), n being the identities in the rarer of the two.
    """
    near = {pair: [np.empty(0, np.float32)] for pair in np.ndindex(k, k)}
    flat = np.ones((k, k))
    for start in range(0, len(placed), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(placed)))
        distances = conditioned(placed.take(rows), placed, flat)
        strange = identities[rows, None] != identities
        for pair in np.ndindex(k, k):
            both = strange & (placed.clusters[rows, None] == pair[0])
            both &= placed.clusters == pair[1]
            near[pair].append(distances[both])
    shown = [np.unique(identities[placed.clusters == cluster]).size for cluster in range(k)]
    return _relative({pair: np.concatenate(blocks) for pair, blocks in near.items()}, shown)


def _relative(
    near: Mapping[tuple[int, ...], NDArray[np.float32]], shown: Sequence[int]
) -> NDArray[np.float64]:
    """Return the levels by the distances of each pair and the identities that each shows."""
    levels = np.ones((len(shown), len(shown)))
    everything = np.concatenate(list(near.values()))
    if everything.size == 0:
        return levels
    overall = float(np.quantile(everything, SHARE))
    for pair, own in near.items():
        if own.size and overall > 0:
            count = min(shown[cluster] for cluster in pair)
            weight = count / (count + PRIOR_IDENTITIES)
            levels[pair] = weight * float(np.quantile(own, SHARE)) / overall + (1 - weight)
    return np.maximum(levels, MIN_LEVEL)
