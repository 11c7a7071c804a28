"""Fitting a conditioning: which clusters, and what to do with them, by what it gains."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.background import Background, Encoder
from recognition.candidates import COUNTS, Candidate, Ran, Standard, candidates, choose, race
from recognition.clusters import Clusters, everything, fit_clusters
from recognition.cohort import Cohort, spaced
from recognition.conditioning import Conditioning, Impostors, place
from recognition.distance import FloatArray, Metric, prepare
from recognition.judge import judge
from recognition.levels import fit_levels
from recognition.protocol import Trial
from recognition.statistics import fit_statistics
from recognition.trials import draw_trials

FPIR: Final = 0.05
"""At which candidates are compared: the trials are too small to tell smaller ones."""

TRIALS: Final = 40  # of each kind
LARGEST_COHORT: Final = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Labelled images: embeddings (n, d), and the identity, background and session of each."""

    embeddings: FloatArray
    identities: NDArray[np.str_]
    backgrounds: Sequence[Background]
    sessions: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The conditioning that won, and the race."""

    conditioning: Conditioning
    chosen: Candidate
    race: tuple[Ran, ...]


def fit(
    encoder: Encoder,
    seen: Sample,
    held_out: Sample,
    *,
    counts: Sequence[int] = COUNTS,
    on_candidate: Callable[[Candidate], None] = lambda _: None,
) -> Fitted:
    """Fit the conditioning that gains most on identities that no part of it was made from.

    Every candidate is made from ``seen``, and recognises the identities of ``held_out`` in random
    trials, half of them with a gallery of one condition. One cluster is always among the
    candidates; :func:`~recognition.candidates.choose` says who wins.

    Raises:
        ValueError: the held-out identities are too few for a trial.
    """
    trials = _trials(encoder, held_out)
    made: dict[Candidate, Conditioning] = {}
    scores: dict[Candidate, NDArray[np.float64]] = {}
    clusters: dict[int, Clusters] = {}
    for candidate in candidates(counts):
        on_candidate(candidate)
        if candidate.k not in clusters:
            clusters[candidate.k] = find_clusters(encoder, seen, held_out, candidate.k)
        if len(clusters[candidate.k]) == 1 < candidate.k:
            continue  # no background tells so many apart; one cluster has run already
        made[candidate] = condition(candidate, clusters[candidate.k], seen, held_out)
        strangers = made[candidate].impostors
        scores[candidate] = judge(
            strangers.placed, made[candidate].levels, strangers.identities, trials, FPIR
        )
    identities = len(np.unique(held_out.identities))
    chosen = choose(scores, identities)
    return Fitted(made[chosen], chosen, race(scores, identities))


def find_clusters(encoder: Encoder, seen: Sample, held_out: Sample, k: int) -> Clusters:
    """Return k clusters of all backgrounds, or fewer: labels play no part in it."""
    backgrounds = [*seen.backgrounds, *held_out.backgrounds]
    return (
        everything(len(backgrounds), encoder) if k == 1 else fit_clusters(encoder, backgrounds, k)
    )


def condition(
    candidate: Candidate, clusters: Clusters, seen: Sample, held_out: Sample
) -> Conditioning:
    """Make the conditioning of a candidate: statistics, cohort and levels from ``seen``.

    The images of ``held_out`` are the strangers that set the thresholds.
    """
    k = len(clusters)
    groups = clusters.assign(seen.backgrounds).cluster
    unit = prepare(seen.embeddings, Metric.COSINE)
    statistics = None
    if candidate.standard is not Standard.NONE:
        centre_only = candidate.standard is Standard.CENTRE
        statistics = fit_statistics(unit, groups, k, centre_only=centre_only)
    some = spaced(len(unit), LARGEST_COHORT)
    cohort = None
    if candidate.scaled:
        cohort = Cohort(place(unit[some], groups[some], statistics, None).vectors)
    levels = np.ones((k, k))
    if candidate.levelled:
        apart = seen.identities[:, None] == seen.identities[some]
        levels = fit_levels(place(unit, groups, statistics, cohort, apart), seen.identities, k)
    strangers = clusters.assign(held_out.backgrounds).cluster
    placed = place(held_out.embeddings, strangers, statistics, cohort)
    return Conditioning(
        clusters, statistics, cohort, levels, Impostors(placed, held_out.identities)
    )


def _trials(encoder: Encoder, sample: Sample) -> list[Trial]:
    encoded = encoder.encode(sample.backgrounds)
    apart = np.nan_to_num(encoder.distances(encoded, encoded), nan=1.0)
    labels = sample.identities.tolist()
    return [
        *draw_trials(labels, sample.sessions, draws=TRIALS),
        *draw_trials(labels, sample.sessions, draws=TRIALS, seed=1, apart=apart),
    ]
