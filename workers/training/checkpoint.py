"""A run on disk: everything that the next step depends on, written so that a kill harms nothing."""

import os
from pathlib import Path
from typing import Any

import torch

from schemas.errors import SetupError


def save(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path``; the file there before is replaced in one go or not at all."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Read what :func:`save` wrote. Tensors and plain values only: no code is run.

    Raises:
        SetupError: the file is missing or damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise SetupError(f"checkpoint {path}: {error}") from error
    return state
