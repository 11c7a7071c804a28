"""From the images of a manifest to a conditioning, and to the report on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from rich.progress import Progress

from lab.fit.fitting import FitResult, fit_conditioning, steps
from lab.fit.report import (
    ClusterReport,
    FitReport,
    Origin,
    RaceReport,
    SampleSize,
    WayReport,
    WeightReport,
)
from lab.images.samples import FitSamples, PartsRequest, embed_parts, samples
from recognition.candidates import PLAIN, CandidateResult
from recognition.cluster import cluster_name
from recognition.fit import FPIR, FittedConditioning, Sample
from recognition.variable import Variable
from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class FitRequest(PartsRequest):
    """What is asked: ``fpir`` is the share of strangers' images that may be accepted.

    The variables ``by`` may make clusters; None for each that can, which may be none.
    """

    fpir: float


def run(request: FitRequest, settings: Settings, bar: Progress) -> tuple[FitReport, FitResult]:
    """Fit a conditioning, and report on it."""
    parts = embed_parts(request, settings, bar, to_fit=True)
    divided = samples(parts)
    result = _fit(divided, parts.variables, request.fpir, bar)
    origin = Origin(
        data=parts.data,
        made_at=datetime.now(UTC),
        model=parts.model,
        split=parts.split,
        fpir=request.fpir,
        seen=_size(divided.seen),
        held_out=_size(divided.held_out),
        refused=parts.refused,
        left_out=parts.left_out,
    )
    return report_on(result, origin), result


def _fit(
    divided: FitSamples, variables: Sequence[Variable], fpir: float, bar: Progress
) -> FitResult:
    task = bar.add_task("fitting", total=steps(variables))

    def step(words: str) -> None:
        bar.update(task, description=words, advance=1)

    return fit_conditioning(divided.seen, divided.held_out, variables, fpir, step)


def _size(sample: Sample) -> SampleSize:
    return SampleSize(
        images=len(sample.identities), identities=len(set(sample.identities.tolist()))
    )


def report_on(result: FitResult, origin: Origin) -> FitReport:
    """Return all figures of a fit."""
    reliability = result.reliability
    return FitReport(
        origin=origin,
        variables=_variables(result),
        race=_race(result.fitted),
        clusters=_clusters(result),
        gallery=result.typical.entries,
        expected=tuple(result.expected),
        calibration_error=None if reliability is None else reliability.error,
        reliability=() if reliability is None else reliability.bins,
    )


def _variables(result: FitResult) -> tuple[WeightReport, ...]:
    reports = (
        WeightReport(
            variable=each.variable,
            role=each.role,
            weight=result.weights.get(each.variable),
            meaning=each.meaning,
        )
        for each in result.saliency
    )
    return tuple(
        sorted(
            reports, key=lambda each: (each.weight is None, -result.weights.get(each.variable, 0))
        )
    )


def _race(fitted: FittedConditioning) -> RaceReport:
    ways = [result_of.candidate for result_of in fitted.results]
    return RaceReport(
        fpir=FPIR,
        ways=tuple(_way(result_of) for result_of in fitted.results),
        chosen=ways.index(fitted.chosen),
        one_cluster=ways.index(replace(fitted.chosen, k=1, levelled=False)),
    )


def _way(result_of: CandidateResult) -> WayReport:
    return WayReport(
        way="plain distances" if result_of.candidate == PLAIN else str(result_of.candidate),
        tpir=result_of.tpir,
        gain=result_of.gain,
        low=result_of.interval.low,
        high=result_of.interval.high,
    )


def _clusters(result: FitResult) -> tuple[ClusterReport, ...]:
    conditioning = result.fitted.conditioning
    impostors = conditioning.impostors
    return tuple(
        ClusterReport(
            name=cluster_name(number),
            description=description,
            strangers=len(np.unique(impostors.identities[impostors.placed.clusters == number])),
            threshold=float(result.typical.tails.scales[number]),
        )
        for number, description in enumerate(conditioning.clusters.descriptions)
    )
