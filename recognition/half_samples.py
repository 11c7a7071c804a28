"""How sure a mean over random trials is: balanced half-samples of the identities.

A trial (a gallery, and who is looked up in it) draws from the same few identities as all others, so
that more trials make a mean no surer of the identities yet unseen, nor does the deviation over
trials tell how sure it is. A half of the identities tells: θ_h, the mean over trials of half h
alone, differs from half to half as the identities do. With R halves the standard error is their
deviation::

    SE = √( Σ_h (θ_h − θ̄)² / R ),   θ̄ = Σ_h θ_h / R

*No factor comes to it.* Let θ be the mean of a number x_i over n identities, whose standard error
is s/√n. The mean of n/2 of them, drawn without replacement, has the variance (1 − ½)·s²/(n/2), the
first factor being the finite population's: s²/n again, as if drawing half of them had halved what
they tell. So it is for what is nearly linear in the identities, too; where halves stand lower, as a
gallery of half the identities is another task, that goes with θ̄. What the few trials of a half add
by themselves makes the error larger, never smaller.

*Balanced* (P. J. McCarthy, *Replication: an approach to the analysis of data from complex surveys*,
1966; Wolter, *Introduction to Variance Estimation*, 2007, ch. 3): identities are paired at random,
each half takes one of each pair, by the columns of an orthogonal array. Then every identity is in
as many halves as not, what one pair does cancels against another, and of x_i as above the formula
gives, exactly and for any x, Σ (x_i − x_j)²/n² over the pairs (i, j), the textbook's estimate
for two of each stratum. Twenty halves do so for 19 pairs; of more, each 19 share the columns
again, of random sign (partially balanced: Wolter, §3.6). The degrees of freedom are the pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognition.bootstrap import Interval
from recognition.tail import student_quantiles

Float64 = NDArray[np.float64]

_PRIME: Final = 19  # 3 modulo 4: there is an orthogonal array of one row more
HALVES: Final = _PRIME + 1
MIN_IDENTITIES: Final = 4
"""So that each half has two, one to be enrolled and a stranger."""

MIN_ABLE: Final = 2
"""Identities that can be enrolled and looked up, one for each half."""


def balanced_halves(able: NDArray[np.bool_], seed: int = 0) -> NDArray[np.bool_]:
    """Return who of n identities is in which half: (HALVES, n); no rows where n is too small.

    Those that are ``able`` (n,) to be enrolled are paired with each other, so that each half has
    half of them. Of an odd number one is alone, and in every other half.
    """
    n = len(able)
    if n < MIN_IDENTITIES or np.count_nonzero(able) < MIN_ABLE:
        return np.empty((0, n), np.bool_)
    rng = np.random.default_rng(seed)
    groups = (rng.permutation(np.flatnonzero(group)) for group in (able, ~able))
    order, place = np.concatenate([*groups]), np.arange(n)
    takes_first = _orthogonal_array()[:, place // 2 % _PRIME]
    members = np.empty((HALVES, n), np.bool_)
    members[:, order] = takes_first == (place % 2 == 0)
    return members


def _orthogonal_array() -> NDArray[np.bool_]:
    """Return (20, 19): each two columns agree in as many rows as not, and each is half true.

    Plackett and Burman, *The design of optimum multifactorial experiments*, 1946: the quadratic
    residues modulo 19, and 0, in every rotation, and a row without any.
    """
    residues = np.isin(np.arange(_PRIME), np.arange(_PRIME) ** 2 % _PRIME)
    rotated = [np.roll(residues, by) for by in range(_PRIME)]
    return np.array([*rotated, np.zeros(_PRIME, np.bool_)])


@dataclass(frozen=True, slots=True, eq=False)
class TrialScores:
    """What trials gave: a share from 0 to 1 each, such as a TPIR.

    Attributes:
        whole: (t,), of the trials of all identities, which tell the mean.
        halves: (HALVES,), the mean over the trials of each half, which tell how sure it is; (0,)
            where the identities are too few for halves, NaN where a half could not be judged.
        identities: how many there are in all.
    """

    whole: Float64
    halves: Float64
    identities: int

    @property
    def mean(self) -> float:
        """The mean over the trials of all identities."""
        return float(self.whole.mean())


class Estimate(NamedTuple):
    """The mean of a difference of two shares, its standard error, and the degrees of freedom."""

    mean: float
    error: float
    freedom: int

    @property
    def interval(self) -> Interval:
        """Within which the difference lies for identities without end, in 95 % of such samples.

        By Student's t; -1 and 1, between which all differences lie, where the error is not known.
        """
        if self.error == inf:
            return Interval(-1.0, 1.0)
        reach = float(student_quantiles(self.freedom, 0.975)) * self.error
        return Interval(max(self.mean - reach, -1.0), min(self.mean + reach, 1.0))


def difference(scores: TrialScores, others: TrialScores) -> Estimate:
    """Return how far ``scores`` lie above ``others`` on the same trials.

    The standard error is infinite where a half is not there or NaN: nothing is sure then.

    Raises:
        ValueError: the trials are not as many.
    """
    if scores.whole.shape != others.whole.shape or scores.halves.shape != others.halves.shape:
        raise ValueError(
            f"expected scores of the same trials, got {scores.whole.size} and {others.whole.size} "
            f"of all identities, {scores.halves.size} and {others.halves.size} halves"
        )
    apart = scores.halves - others.halves
    return Estimate(
        mean=float((scores.whole - others.whole).mean()),
        error=float(apart.std()) if apart.size and np.isfinite(apart).all() else inf,
        freedom=min(_PRIME, scores.identities // 2),
    )


def joined(parts: Sequence[TrialScores]) -> TrialScores:
    """Return the scores of parts that share no identity, each of which counts the same.

    A half of all is a half of each part; there are none where a part has none.
    """
    halved = all(part.halves.size for part in parts)
    return TrialScores(
        whole=np.concatenate([part.whole for part in parts]),
        halves=np.mean([part.halves for part in parts], axis=0) if halved else np.empty(0),
        identities=sum(part.identities for part in parts),
    )
