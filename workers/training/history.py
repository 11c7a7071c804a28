"""The figures of a run, step by step: one JSON object a line (``metrics.jsonl``).

A process that is killed while it writes leaves at most one torn line at the end. Such a line is
never read, and the next write removes it. JSON knows no NaN: a figure that is not finite is kept as
``null`` and comes back as NaN.
"""

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from schemas.errors import SetupError

STEP = "step"


def append_history(path: Path, figures: Mapping[str, float]) -> None:
    """Add the figures of one step; they name it as ``step``."""
    if _torn(path):
        _write(path, read_history(path))
    with path.open("ab", buffering=0) as file:  # one write a line: whole, or torn at the very end
        file.write(_line(figures))


def read_history(path: Path) -> list[dict[str, float]]:
    """All whole lines, in the order of writing; none where there is no file.

    Raises:
        SetupError: a line that is no JSON object, or names no step: the file was changed by hand.
    """
    if not path.exists():
        return []
    *lines, _ = path.read_bytes().split(b"\n")  # what follows the last line break is torn or empty
    return [_figures(path, number, line) for number, line in enumerate(lines, start=1)]


def cut_history(path: Path, step: int) -> None:
    """Drop what was logged after a step, for a run that goes on from a checkpoint made there."""
    if path.exists():
        _write(path, [figures for figures in read_history(path) if figures[STEP] <= step])


def series(history: Sequence[Mapping[str, float]], name: str) -> tuple[list[float], list[float]]:
    """The steps at which a figure was logged, and its values there."""
    logged = [figures for figures in history if name in figures]
    return [figures[STEP] for figures in logged], [figures[name] for figures in logged]


def _line(figures: Mapping[str, float]) -> bytes:
    finite = {name: value if math.isfinite(value) else None for name, value in figures.items()}
    return json.dumps(finite, allow_nan=False).encode() + b"\n"


def _figures(path: Path, number: int, line: bytes) -> dict[str, float]:
    try:
        read = json.loads(line)
    except ValueError:
        read = None
    if not isinstance(read, dict) or not isinstance(read.get(STEP), int):
        raise SetupError(f"{path}, line {number}: not the figures of a step: {line[:80]!r}")
    return {name: math.nan if value is None else value for name, value in read.items()}


def _torn(path: Path) -> bool:
    """Whether the last line lacks its line break."""
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _write(path: Path, history: Iterable[Mapping[str, float]]) -> None:
    """Put new contents in the place of the old ones at once."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(b"".join(map(_line, history)))
    beside.replace(path)
