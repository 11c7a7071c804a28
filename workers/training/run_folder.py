"""The folder of a training run: what lies where."""

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from schemas.errors import SetupError
from workers.training.config import TrainingConfig


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path``; the file there before is replaced in one go or not at all."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote. Tensors and plain values only: no code is run."""
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise SetupError(f"checkpoint {path}: {error}") from error
    return state


class TrainingFolder:
    """A folder, ``root``, and what is in it.

    Attributes:
        config: the settings, JSON.
        checkpoint: everything that the next step depends on.
        metrics: one line of JSON per step; a figure that is not finite is ``null``, for want of
            NaN.
        curves: the same as a picture.
        board: logs for TensorBoard, the embedding projector included.
        model: the model folder that the worker loads, written at the end.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config.json"
        self.checkpoint = root / "checkpoint.pt"
        self.metrics = root / "metrics.jsonl"
        self.curves = root / "curves.png"
        self.board = root / "tensorboard"
        self.model = root / "model"

    def open(self, config: TrainingConfig) -> bool:
        """See whether a run can be in this folder: there is none, or one of the same settings.

        Returns:
            Whether there is a checkpoint to go on from.

        Raises:
            SetupError: there is a run of other settings.
        """
        if self.config.is_file() and self.read() != config:
            raise SetupError(
                f"{self.root} holds a run with other settings (config.json); resume it with the "
                "same ones, or choose another --out"
            )
        return self.checkpoint.is_file()

    def begin(self, config: TrainingConfig) -> None:
        """Make the folder and put the settings there, once and whole."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not self.config.is_file():
            fresh = self.config.with_suffix(".new")
            fresh.write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
            fresh.replace(self.config)

    def begin_metrics(self, history: Iterable[Mapping[str, float]]) -> None:
        """Write the figures of the steps so far, in place of what a killed run has left there."""
        self.metrics.write_text("".join(map(_line, history)))

    def add_metrics(self, figures: Mapping[str, float]) -> None:
        """Add the figures of one step."""
        with self.metrics.open("a") as file:
            file.write(_line(figures))

    def read(self) -> TrainingConfig:
        """Read the settings of a run."""
        try:
            return TrainingConfig.model_validate_json(self.config.read_bytes())
        except (OSError, ValidationError) as error:
            raise SetupError(f"training run {self.root}: {error}") from error


def _line(figures: Mapping[str, float]) -> str:
    finite = {name: value if math.isfinite(value) else None for name, value in figures.items()}
    return json.dumps(finite, allow_nan=False) + "\n"
