"""From what was made to what is reported."""

from dataclasses import replace

import numpy as np

from lab.fit.fitting import FitResult
from lab.fit.report import (
    BinReport,
    ClusterReport,
    ExpectedReport,
    FitReport,
    Origin,
    RaceReport,
    WayReport,
    WeightReport,
)
from recognition.candidates import PLAIN, CandidateResult
from recognition.cluster import cluster_name
from recognition.fit import FPIR, FittedConditioning


def report_on(result: FitResult, origin: Origin) -> FitReport:
    """Return all figures of a fit."""
    reliability = result.reliability
    return FitReport(
        origin=origin,
        variables=_variables(result),
        race=_race(result.fitted),
        clusters=_clusters(result),
        gallery=result.typical.entries,
        expected=tuple(
            ExpectedReport(
                fpir=each.fpir,
                low=each.interval.low,
                high=each.interval.high,
                threshold=each.threshold,
            )
            for each in result.expected
        ),
        calibration_error=None if reliability is None else reliability.error,
        reliability=tuple(
            BinReport(predicted=each.predicted, observed=each.observed, count=each.count)
            for each in (() if reliability is None else reliability.bins)
        ),
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
