"""What a benchmark leaves in its folder: one JSON and one Markdown file of the same name."""

import json
import math
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from infra.console import err
from schemas.errors import SetupError

NOTHING = "–"


def write(folder: Path, name: str, data: Any, markdown: str) -> None:
    """Write ``name.json`` and ``name.md``; the folder is made.

    Raises:
        SetupError: it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        (folder / f"{name}.md").write_text(markdown, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{folder}: {error}; give another folder with --out") from error
    err.print(f"wrote {folder / name}.md and {name}.json", markup=False, soft_wrap=True)


def grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def share(value: float | None) -> str:
    """Return a number from 0 to 1 with three digits."""
    return NOTHING if value is None else f"{value:.3f}"


def number(value: float) -> float | None:
    """Return ``value``, or None for NaN and infinity, which JSON does not have."""
    return value if math.isfinite(value) else None


def machine(device: torch.device) -> str:
    """Return a line about what the figures were measured on."""
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    return f"{platform.machine()}, {os.cpu_count()} cores, {where}, torch {torch.__version__}"
