"""What a simulation leaves in a folder."""

from pathlib import Path

from lab.shown.style import save
from lab.simulate.plots import effort, error
from lab.simulate.report import SimulationReport
from schemas.errors import SetupError

REPORT = "simulation.json"


def write(folder: Path, report: SimulationReport) -> None:
    """Write ``simulation.json``, ``effort.png`` and ``error.png``; the folder is made.

    Raises:
        SetupError: it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REPORT).write_text(report.model_dump_json(indent=1), encoding="utf-8")
        save(effort(report), folder / "effort.png")
        save(error(report), folder / "error.png")
    except OSError as problem:
        raise SetupError(f"{folder}: {problem}; give another folder with --out") from problem
