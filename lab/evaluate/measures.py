"""What is measured of a trial, with its bootstrap draws."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lab.evaluate.scored import OperatingTarget, Rule, Scored, Thresholds
from recognition.bootstrap import IdentityDraws
from recognition.evaluation import Float64, auroc, mean, tpir_at_fpir

RANK1, MAP, AUROC = "rank1", "map", "auroc"
TPIR, FPIR, REVIEW = "tpir", "fpir", "review"
_AT: Final = (TPIR, FPIR, REVIEW)


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """A measure and what it is on each draw of identities (draws,)."""

    value: float
    draws: Float64

    def __sub__(self, other: "Resampled") -> "Resampled":
        return Resampled(self.value - other.value, self.draws - other.draws)


Measures = dict[str, Resampled]
"""By name: ``rank1``, ``map``, ``auroc``, and what :func:`at` names."""


def at(measure: str, point: OperatingTarget) -> str:
    """Return the name of ``tpir``, ``fpir`` or ``review`` at a point.

    >>> at(TPIR, OperatingTarget(0.05, Rule.HONEST))
    'tpir@0.05/honest'
    """
    return f"{measure}@{point.fpir:g}/{point.rule}"


def measure(scored: Scored, thresholds: Thresholds, draws: IdentityDraws) -> Measures:
    """Measure a whole trial. The oracle takes its threshold anew from each draw."""
    measured = at_thresholds(scored, thresholds, draws)
    fpirs = [point.fpir for point in thresholds if point.rule is Rule.ORACLE]
    drawn = []
    for which in draws.of(scored.identified.label):
        identified = scored.identified.take(which)
        points = [tpir_at_fpir(identified, fpir) for fpir in fpirs]
        drawn.append([auroc(identified), *(getattr(p, name) for p in points for name in _AT)])
    oracle = [at(name, OperatingTarget(fpir, Rule.ORACLE)) for fpir in fpirs for name in _AT]
    columns = dict(zip([AUROC, *oracle], np.array(drawn).T, strict=True))
    measured[AUROC] = Resampled(auroc(scored.identified), columns.pop(AUROC))
    for name, column in columns.items():
        measured[name] = Resampled(measured[name].value, column)
    return measured


def at_thresholds(scored: Scored, thresholds: Thresholds, draws: IdentityDraws) -> Measures:
    """Measure probes at fixed thresholds: all but the AUROC, each a mean over the probes."""
    outcomes = _outcomes(scored, thresholds)
    drawn = draws.means(np.stack(list(outcomes.values()), axis=1), scored.identified.label)
    return {
        name: Resampled(mean(outcome), column)
        for (name, outcome), column in zip(outcomes.items(), drawn.T, strict=True)
    }


def _outcomes(scored: Scored, thresholds: Thresholds) -> dict[str, Float64]:
    """Return what each probe adds to each measure (p,): NaN where it is not asked."""
    identified = scored.identified
    known, unknown = identified.known, ~identified.known
    outcomes = {RANK1: np.where(known, identified.right, np.nan), MAP: scored.precision}
    for point, threshold in thresholds.items():
        unclear = np.full(len(identified), np.nan)
        accepted = (
            unclear if np.isnan(threshold) else (identified.distance <= threshold).astype(float)
        )
        outcomes[at(TPIR, point)] = np.where(known, accepted * identified.right, np.nan)
        outcomes[at(FPIR, point)] = np.where(unknown, accepted, np.nan)
        outcomes[at(REVIEW, point)] = 1 - accepted
    return outcomes
