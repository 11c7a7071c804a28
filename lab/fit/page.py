"""The report as one page, with all that it shows in it."""

from lab.evaluate.words import percent
from lab.fit.fitting import Made
from lab.fit.plots.race import race
from lab.fit.plots.reliability import reliability
from lab.fit.plots.tail import tail
from lab.fit.report import FitReport
from lab.fit.words import between, doubt, finding, promise
from lab.shown import html
from lab.shown.svg import data_uri


def page(report: FitReport, made: Made, name: str, version: str) -> str:
    """Return the HTML of a report.

    Args:
        report: what is told.
        made: what its tail is drawn from.
        name: of the artefact.
        version: likewise.
    """
    fpirs = [each.fpir for each in report.expected]
    calibrated = report.calibration_error is not None
    return html.page(
        "lab.fit",
        title=f"Conditioning {name}",
        facts=_facts(report, version),
        report=report,
        finding=finding(report),
        promise=promise(report),
        doubt=doubt(report),
        heaviest=max((each.weight or 0.0 for each in report.variables), default=0.0),
        race=data_uri(race(report.race)),
        tail=data_uri(tail(made.typical.tails.tail, fpirs)),
        reliability=data_uri(reliability(report.reliability)) if calibrated else None,
        percent=percent,
        between=between,
    )


def _facts(report: FitReport, version: str) -> tuple[str, ...]:
    origin = report.origin
    return (
        f"version {version}, for {origin.model}",
        f"{origin.data}, split {origin.split}",
        f"made from {origin.seen.images:,} images of {origin.seen.identities} identities",
        f"judged by {origin.held_out.images:,} of {origin.held_out.identities} others",
        f"FPIR {percent(origin.fpir)}",
        f"{origin.made_at:%d %B %Y}",
    )
