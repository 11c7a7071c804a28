"""From what came out of an exam to the report."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from lab.evaluate.exam import Exam, TrialResult, VariantResult
from lab.evaluate.measures import Measures, Resampled
from lab.evaluate.report import (
    Difference,
    Estimate,
    Evaluation,
    Group,
    HeadReport,
    ModelReport,
    Scenario,
    SplitEstimate,
    SplitSize,
)
from recognition.bootstrap import interval
from recognition.evaluation import mean


def estimates(measured: Mapping[int, Measures], *, each: bool = True) -> dict[str, Estimate]:
    """Return an estimate per measure, of the measures of each split; ``each`` split with it."""
    names = next(iter(measured.values()), {})
    return {
        name: _estimate({s: measures[name] for s, measures in measured.items()}, each=each)
        for name in names
    }


def differences(
    measured: Mapping[int, Measures], baseline: Mapping[int, Measures]
) -> dict[str, Estimate]:
    """Return an estimate per measure of how much more ``measured`` has, on the splits of both."""
    return estimates(
        {
            split: {name: measured[split][name] - baseline[split][name] for name in measured[split]}
            for split in measured
            if split in baseline
        }
    )


def number(value: float) -> float | None:
    """Return ``value``, or None for NaN and infinity, which JSON does not have."""
    return value if math.isfinite(value) else None


def _estimate(of: Mapping[int, Resampled], *, each: bool) -> Estimate:
    values = np.array([resampled.value for resampled in of.values()])
    values = values[~np.isnan(values)]
    drawn = np.stack([resampled.draws for resampled in of.values()])
    counts = (~np.isnan(drawn)).sum(axis=0)
    total = np.nansum(drawn, axis=0)
    means = np.divide(total, counts, out=np.full_like(total, np.nan), where=counts > 0)
    low, high = interval(means)
    return Estimate(
        mean=number(mean(values)),
        spread=float(values.std(ddof=1)) if values.size > 1 else None,
        low=number(low),
        high=number(high),
        splits=tuple(_of_split(split, resampled) for split, resampled in of.items() if each),
    )


def _of_split(split: int, resampled: Resampled) -> SplitEstimate:
    low, high = interval(resampled.draws)
    return SplitEstimate(
        split=split, value=number(resampled.value), low=number(low), high=number(high)
    )


class Embedder(NamedTuple):
    """What embedded for a variant.

    Attributes:
        models: the version, by split.
        image_ms: how long an image took.
        heads: what the auxiliary heads tell of the background.
    """

    models: dict[int, str]
    image_ms: float | None
    heads: tuple[HeadReport, ...] = ()


def summarise(
    exam: Exam,
    assessed: Sequence[VariantResult],
    *,
    data: str,
    images: int,
    refused: Mapping[str, str],
    embedders: Mapping[str, Embedder],
) -> Evaluation:
    """Return the report; each variant but the first is compared with the first.

    Args:
        refused: why an image was left out, by its path.
        embedders: what embedded for each variant, by its name, as far as that is known.
    """
    first = assessed[0]
    return Evaluation(
        data=data,
        made_at=datetime.now(UTC),
        fpirs=exam.fpirs,
        draws=exam.draws,
        images=images,
        refused=dict(refused),
        variables={name: grouping.names for name, grouping in exam.by.items()},
        variants=tuple(_variant(result, exam, embedders) for result in assessed),
        differences=tuple(_difference(result, first) for result in assessed[1:]),
    )


def _variant(assessed: VariantResult, exam: Exam, embedders: Mapping[str, Embedder]) -> ModelReport:
    variant = assessed.variant
    return ModelReport(
        name=variant.name,
        distance=variant.distance,
        **embedders.get(variant.name, Embedder({}, None))._asdict(),
        scenarios={
            scenario: _scenario(trials, exam) for scenario, trials in assessed.trials.items()
        },
    )


def _scenario(trials: Mapping[int, TrialResult], exam: Exam) -> Scenario:
    return Scenario(
        sizes=tuple(_size(split, tested) for split, tested in trials.items()),
        measures=estimates({split: tested.measures for split, tested in trials.items()}),
        by={
            name: tuple(
                group
                for value in grouping.names
                if (group := _group(name, value, trials)) is not None
            )
            for name, grouping in exam.by.items()
        },
    )


def _size(split: int, tested: TrialResult) -> SplitSize:
    identified = tested.scored.identified
    known = int(np.count_nonzero(identified.known))
    return SplitSize(
        split=split,
        gallery=tested.gallery,
        known=known,
        unknown=len(identified) - known,
        identities=len(np.unique(identified.label)),
        thresholds={f"{p.fpir:g}/{p.rule}": number(t) for p, t in tested.thresholds.items()},
    )


def _group(variable: str, value: str, trials: Mapping[int, TrialResult]) -> Group | None:
    """Return what the probes with this value did in all trials; None where there are none."""
    present = {
        split: tested.groups[variable][value]
        for split, tested in trials.items()
        if value in tested.groups[variable]
    }
    if not present:
        return None
    known = np.concatenate([scored.identified.known for scored, _ in present.values()])
    return Group(
        value=value,
        known=int(known.sum()),
        unknown=int((~known).sum()),
        measures=estimates(
            {split: measures for split, (_, measures) in present.items()}, each=False
        ),
    )


def _difference(result: VariantResult, first: VariantResult) -> Difference:
    return Difference(
        variant=result.variant.name,
        baseline=first.variant.name,
        scenarios={
            scenario: differences(
                {split: tested.measures for split, tested in trials.items()},
                {split: tested.measures for split, tested in first.trials[scenario].items()},
            )
            for scenario, trials in result.trials.items()
        },
    )
