"""From what was made to what is reported."""

from dataclasses import replace

import numpy as np

from lab.fit.fitting import Made
from lab.fit.report import (
    BinReport,
    ClusterReport,
    ExpectedReport,
    FitReport,
    Origin,
    Race,
    VariableReport,
    WayReport,
)
from recognition.candidates import PLAIN, Ran
from recognition.cluster import cluster_name
from recognition.fit import FPIR, Fitted


def report_on(made: Made, origin: Origin) -> FitReport:
    """Return all figures of a fit."""
    reliability = made.reliability
    return FitReport(
        origin=origin,
        variables=_variables(made),
        race=_race(made.fitted),
        clusters=_clusters(made),
        gallery=made.typical.entries,
        expected=tuple(
            ExpectedReport(
                fpir=one.fpir,
                low=one.interval.low,
                high=one.interval.high,
                threshold=one.threshold,
            )
            for one in made.expected
        ),
        calibration_error=None if reliability is None else reliability.error,
        reliability=tuple(
            BinReport(predicted=each.predicted, observed=each.observed, count=each.count)
            for each in (() if reliability is None else reliability.bins)
        ),
    )


def _variables(made: Made) -> tuple[VariableReport, ...]:
    told = (
        VariableReport(
            variable=one.variable,
            role=one.role,
            weight=made.weights.get(one.variable),
            meaning=one.meaning,
        )
        for one in made.saliency
    )
    return tuple(
        sorted(told, key=lambda one: (one.weight is None, -made.weights.get(one.variable, 0)))
    )


def _race(fitted: Fitted) -> Race:
    ways = [ran.candidate for ran in fitted.race]
    return Race(
        fpir=FPIR,
        ways=tuple(_way(ran) for ran in fitted.race),
        chosen=ways.index(fitted.chosen),
        one_cluster=ways.index(replace(fitted.chosen, k=1, levelled=False)),
    )


def _way(ran: Ran) -> WayReport:
    return WayReport(
        way="plain distances" if ran.candidate == PLAIN else str(ran.candidate),
        tpir=ran.tpir,
        gain=ran.gain,
        low=ran.interval.low,
        high=ran.interval.high,
    )


def _clusters(made: Made) -> tuple[ClusterReport, ...]:
    conditioning = made.fitted.conditioning
    impostors = conditioning.impostors
    return tuple(
        ClusterReport(
            name=cluster_name(number),
            description=description,
            strangers=len(np.unique(impostors.identities[impostors.placed.clusters == number])),
            threshold=float(made.typical.tails.scales[number]),
        )
        for number, description in enumerate(conditioning.clusters.descriptions)
    )
