"""The report as one page, with all that it shows in it, and the folder that it lies in."""

from pathlib import Path
from typing import Final

from lab.evaluate.words import percent
from lab.fit.fitting import FitResult
from lab.fit.plots import gains, reliability, tail
from lab.fit.report import FitReport
from lab.fit.words import between, doubt, finding, promise
from lab.shown import html
from lab.shown.folder import writing
from lab.shown.style import data_uri
from streams.conditioning.artefact import Artefact, save_artefact

PAGE: Final = "report.html"


def page(report: FitReport, result: FitResult, name: str, version: str) -> str:
    """Return the HTML of a report.

    Args:
        report: what is told.
        result: what its tail is drawn from.
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
        race=data_uri(gains(report.race)),
        tail=data_uri(tail(result.typical.tails.tail, fpirs)),
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


def write(folder: Path, report: FitReport, result: FitResult, name: str) -> Artefact:
    """Write the artefact and ``report.html``; the folder is made.

    Raises:
        SetupError: it cannot be written to.
    """
    artefact = save_artefact(
        folder,
        name=name,
        model=report.origin.model,
        fpir=report.origin.fpir,
        conditioning=result.fitted.conditioning,
        calibration=result.calibration,
        about=report.model_dump(mode="json"),
    )
    with writing(folder):
        (folder / PAGE).write_text(page(report, result, name, artefact.version), encoding="utf-8")
    return artefact
