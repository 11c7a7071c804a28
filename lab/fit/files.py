"""What a fit leaves in a folder."""

from pathlib import Path
from typing import Final

from lab.fit.fitting import Made
from lab.fit.page import page
from lab.fit.report import FitReport
from schemas.errors import SetupError
from streams.conditioning.artefact import Artefact, save_artefact

PAGE: Final = "report.html"


def write(folder: Path, report: FitReport, made: Made, name: str) -> Artefact:
    """Write the artefact and ``report.html``; the folder is made.

    Raises:
        SetupError: it cannot be written to.
    """
    artefact = save_artefact(
        folder,
        name=name,
        model=report.origin.model,
        fpir=report.origin.fpir,
        conditioning=made.fitted.conditioning,
        calibration=made.calibration,
        about=report.model_dump(mode="json"),
    )
    try:
        (folder / PAGE).write_text(page(report, made, name, artefact.version), encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{folder}: {error}; give another folder with --out") from error
    return artefact
