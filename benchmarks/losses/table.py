"""The table of losses: one row for each set and loss, kept as it grows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.report import NOTHING, grid, number, share
from schemas.errors import SetupError

T = TypeVar("T")

PLAIN, STARTED = "plain backbone", "whitened start"
"""The rows before any training."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: TPIR at FPIR 5 %, and rank-1.

    Attributes:
        calibrate: mean TPIR over random trials of the calibrate part.
        tpir: of the test trial, by scenario; the threshold is taken from its own impostors.
        rank1: likewise.
    """

    calibrate: float
    tpir: Mapping[str, float]
    rank1: Mapping[str, float]


class Row(BaseModel):
    """One line of the table; without figures where the loss failed, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    set: str
    loss: str
    settings: str
    seconds: float
    calibrate: float | None = None
    tpir: dict[str, float | None] = {}
    rank1: dict[str, float | None] = {}
    error: str | None = None


def row_of(name: str, loss: str, settings: str, seconds: float, figures: Figures) -> Row:
    """Return the row of what was measured."""
    return Row(
        set=name,
        loss=loss,
        settings=settings,
        seconds=round(seconds, 1),
        calibrate=number(figures.calibrate),
        tpir={scenario: number(value) for scenario, value in figures.tpir.items()},
        rank1={scenario: number(value) for scenario, value in figures.rank1.items()},
    )


class Journal:
    """The rows on disk, one a line, so that a run that is cut off goes on.

    Raises:
        SetupError: a line that is no row, other than a last one that was cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        whole = [line for line in lines if line.endswith("\n")]
        try:
            self.rows = [Row.model_validate_json(line) for line in whole]
        except ValidationError as error:
            raise SetupError(f"{path} is not of this benchmark: {error}") from error
        if len(whole) < len(lines):
            path.write_text("".join(whole), encoding="utf-8")

    def append(self, row: Row) -> None:
        """Keep a row."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(row.model_dump_json() + "\n")
        self.rows.append(row)

    def done(self, name: str, loss: str, settings: str) -> bool:
        """Tell whether there is a row with these settings; one that failed is tried again."""
        key = (name, loss, settings)
        return any((r.set, r.loss, r.settings) == key and r.error is None for r in self.rows)

    def latest(self, settings: Mapping[str, str], losses: Sequence[str]) -> list[Row]:
        """Return the last row of each set with its settings, in the order of ``losses``."""
        last = {(r.set, r.loss): r for r in self.rows if settings.get(r.set) == r.settings}
        wanted = [(name, loss) for name in settings for loss in (PLAIN, STARTED, *losses)]
        return [last[key] for key in wanted if key in last]


def markdown(rows: Sequence[Row], about: str) -> str:
    """Return the page: an overview of all sets, then each set."""
    sections = ["# Losses at a small budget", about, "## TPIR at FPIR 5 % on test", _overview(rows)]
    for name in _unique(row.set for row in rows):
        sections += [f"## {name}", _details([row for row in rows if row.set == name])]
    return "\n\n".join(sections) + "\n"


def _overview(rows: Sequence[Row]) -> str:
    columns = _unique((row.set, scenario) for row in rows for scenario in row.tpir)
    cells = {(row.loss, row.set, scenario): v for row in rows for scenario, v in row.tpir.items()}
    return grid(
        ["loss", *(f"{name} {scenario}" for name, scenario in columns)],
        [
            [loss, *(share(cells.get((loss, *column))) for column in columns)]
            for loss in _unique(row.loss for row in rows)
        ],
    )


def _details(rows: Sequence[Row]) -> str:
    scenarios = _unique(scenario for row in rows for scenario in row.tpir)
    header = ["loss", "calibrate TPIR"]
    header += [f"{name} {what}" for name in scenarios for what in ("TPIR", "rank-1")]
    return grid([*header, "seconds"], [_cells(row, scenarios) for row in rows])


def _cells(row: Row, scenarios: Sequence[str]) -> list[str]:
    if row.error is not None:
        blank = [NOTHING] * (2 * len(scenarios))
        return [row.loss, f"failed: {row.error}", *blank, f"{row.seconds:.0f}"]
    measured = [share(of.get(name)) for name in scenarios for of in (row.tpir, row.rank1)]
    return [row.loss, share(row.calibrate), *measured, f"{row.seconds:.0f}"]


def _unique(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
