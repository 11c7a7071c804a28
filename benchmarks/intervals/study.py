"""The gains of a few ways to condition, on random identities and on others that share none."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lab.fit.fitting import measure_saliency, weighted
from recognition.background import Encoder
from recognition.bootstrap import Interval
from recognition.candidates import PLAIN, ConditioningCandidate, Standard
from recognition.conditioning import Conditioning
from recognition.fit import FPIR, Sample, condition, find_clusters, mixed_and_single
from recognition.half_samples import TrialScores, difference
from recognition.judge import judge
from recognition.variable import Variable

WAYS: Final = (
    PLAIN,
    ConditioningCandidate(1, scaled=True),
    ConditioningCandidate(1, Standard.CENTRE, scaled=True),
    ConditioningCandidate(4, Standard.CENTRE, scaled=True, levelled=True),
)
"""Each is compared with the one before it."""

OTHERS: Final = 2
"""Sets of other identities, whose mean gain stands for the truth in a draw."""

_SIDES = 1.96

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw of identities, and what the others show.

    Attributes:
        gain: on the identities drawn.
        error: its standard error.
        interval: as a fit would state it.
        over_trials: the interval by the deviation over trials over √identities.
        truth: the gain on others.
    """

    gain: float
    error: float
    interval: Interval
    over_trials: Interval
    truth: float


@dataclass(frozen=True, slots=True)
class Study:
    """What is drawn from: images of identities that no conditioning here is made from."""

    encoder: Encoder
    pool: Sample
    ways: Sequence[Conditioning]

    def draw(self, identities: int, rng: np.random.Generator) -> list[Drawn]:
        """Draw identities, and as many others again and again; return the gain of each way."""
        names = rng.permutation(np.unique(self.pool.identities))
        own, rest = self._scores(names[:identities]), names[identities:]
        others = [self._scores(rng.permutation(rest)[:identities]) for _ in range(OTHERS)]
        return [
            _drawn(own[after], own[before], [(each[after], each[before]) for each in others])
            for before, after in pairwise(range(len(self.ways)))
        ]

    def _scores(self, names: NDArray[np.str_]) -> list[TrialScores]:
        those = np.flatnonzero(np.isin(self.pool.identities, names))
        sample = _take(self.pool, those)
        trials = mixed_and_single(self.encoder, sample)
        return [
            judge(way.impostors.placed.take(those), way.levels, sample.identities, trials, FPIR)
            for way in self.ways
        ]


def study_of(seen: Sample, pool: Sample, variables: Sequence[Variable]) -> Study:
    """Make each way from the images ``seen``; those of the ``pool`` are placed by it."""
    encoder = weighted(variables, measure_saliency(seen, pool, variables, lambda _: None))
    ways = [
        condition(way, find_clusters(encoder, seen, pool, way.k), seen, pool)
        for way in WAYS
        if way.k == 1 or encoder.variables
    ]
    return Study(encoder, pool, ways)


def _drawn(
    after: TrialScores, before: TrialScores, others: Sequence[tuple[TrialScores, TrialScores]]
) -> Drawn:
    found = difference(after, before)
    deviation = float((after.whole - before.whole).std())
    reach = _SIDES * deviation / float(np.sqrt(after.identities))
    return Drawn(
        found.mean,
        found.error,
        found.interval,
        Interval(found.mean - reach, found.mean + reach),
        float(np.mean([one.mean - other.mean for one, other in others])),
    )


def _take(sample: Sample, those: NDArray[np.intp]) -> Sample:
    sessions = sample.sessions
    return Sample(
        sample.embeddings[those],
        sample.identities[those],
        [sample.backgrounds[i] for i in those.tolist()],
        None if sessions is None else [sessions[i] for i in those.tolist()],
    )
