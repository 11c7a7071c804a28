"""The figures of all splits of one set, model and scenario."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.conditioning.trial import Asked, met
from benchmarks.report import grid
from recognition.bootstrap import IdentityDraws, Interval, interval


@dataclass(frozen=True, slots=True)
class Line:
    """Means over the splits, and their spread (standard deviation).

    Attributes:
        plain: TPIR of the plain distance at the FPIR, met on the test itself.
        one: likewise, of a conditioning of one cluster.
        conditioned: likewise, of the conditioned distance over its fitted threshold.
        gain: of the latter over the former, with its interval by resampling identities.
        quantile: the FPIR met by one plain quantile, over what was asked for.
        fitted: the FPIR met by the fitted thresholds, over what was asked for.
        tpir: at the fitted thresholds.
        covered: the share of splits in which the stated interval holds the FPIR met.
    """

    set: str
    model: str
    scenario: str
    fpir: float
    splits: int
    plain: float
    plain_spread: float
    one: float
    conditioned: float
    conditioned_spread: float
    gain: float
    interval: Interval
    quantile: float
    fitted: float
    fitted_spread: float
    tpir: float
    covered: float


def summarise(
    name: str, model: str, scenario: str, splits: Mapping[int, Asked], draws: int
) -> Line:
    """Return the line of one FPIR; ``splits`` holds what was found, by number."""
    asked = list(splits.values())
    fpir = asked[0].fpir
    plain = np.array([met(one.plain, fpir) for one in asked])
    conditioned = np.array([met(one.conditioned, fpir) for one in asked])
    fitted = np.array([one.fitted.fpir for one in asked]) / fpir
    held = [one.expected.low <= one.fitted.fpir <= one.expected.high for one in asked]
    return Line(
        set=name,
        model=model,
        scenario=scenario,
        fpir=fpir,
        splits=len(asked),
        plain=float(plain.mean()),
        plain_spread=float(plain.std()),
        one=float(np.mean([met(each.one, fpir) for each in asked])),
        conditioned=float(conditioned.mean()),
        conditioned_spread=float(conditioned.std()),
        gain=float((conditioned - plain).mean()),
        interval=_resampled(asked, draws),
        quantile=float(np.mean([one.quantile.fpir for one in asked])) / fpir,
        fitted=float(fitted.mean()),
        fitted_spread=float(fitted.std()),
        tpir=float(np.mean([one.fitted.tpir for one in asked])),
        covered=float(np.mean(held)),
    )


def _resampled(asked: Sequence[Asked], draws: int) -> Interval:
    """Return the interval of the mean gain: the same identities are drawn for all splits."""
    labels = np.concatenate([one.plain.label for one in asked])
    identities = IdentityDraws(labels.tolist(), draws=draws)
    gains = np.zeros((len(asked), draws))
    for row, one in zip(gains, asked, strict=True):
        for at, which in enumerate(identities.of(one.plain.label)):
            conditioned = met(one.conditioned.take(which), one.fpir)
            row[at] = conditioned - met(one.plain.take(which), one.fpir)
    return interval(np.nanmean(gains, axis=0))


def header() -> list[str]:
    """Return what stands above :func:`cells`."""
    return [
        "set, model, scenario",
        "FPIR asked",
        "TPIR plain",
        "one cluster",
        "conditioned",
        "gain [interval]",
        "FPIR met / asked: one quantile",
        "fitted",
        "TPIR at the fitted",
        "interval held",
    ]


def cells(line: Line) -> list[str]:
    """Return the cells of a line."""
    return [
        f"{line.set} {line.model} {line.scenario}",
        f"{line.fpir:.0%}",
        f"{line.plain:.3f} ± {line.plain_spread:.3f}",
        f"{line.one:.3f}",
        f"{line.conditioned:.3f} ± {line.conditioned_spread:.3f}",
        f"{line.gain:+.3f} [{line.interval.low:+.3f}, {line.interval.high:+.3f}]",
        f"{line.quantile:.2f}",
        f"{line.fitted:.2f} ± {line.fitted_spread:.2f}",
        f"{line.tpir:.3f}",
        f"{line.covered:.0%}",
    ]


def page(lines: Sequence[Line], chosen: Mapping[str, Sequence[str]], about: str) -> str:
    """Return the figures as Markdown, and which candidate won in each split."""
    wins = [f"- {name}: {'; '.join(some)}" for name, some in chosen.items()]
    parts = ["# Conditioning", about, grid(header(), map(cells, lines)), "## Chosen, by split"]
    return "\n\n".join([*parts, "\n".join(wins)]) + "\n"
