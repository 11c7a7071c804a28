"""From a manifest to a run: which images train, which choose, and their pixels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from rich.progress import Progress

from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import session_of, splits_of
from recognition.protocol import Part
from schemas.background import declaration_of
from schemas.errors import SetupError
from schemas.settings import Settings
from workers.images.decode import Limits
from workers.model.malloc import keep_freed_memory
from workers.model.model import choose_device
from workers.model.model_folder import read_model
from workers.model.network import Architecture
from workers.training.config import TrainingConfig
from workers.training.data import Samples, TrainingData, load_images
from workers.training.loop import train


@dataclass(frozen=True, slots=True, eq=False)
class TrainingParts:
    """The rows of a manifest that a run may see."""

    train: list[ManifestRow]
    calibrate: list[ManifestRow]
    source: Mapping[str, JsonValue]

    def __len__(self) -> int:
        return len(self.train) + len(self.calibrate)


def parts_of(manifest: Path, splits: Path | None, number: int) -> TrainingParts:
    """Return the train and calibrate parts of one split; the test part stays out of sight.

    Raises:
        SetupError: no such split, or one without a train or calibrate part.
    """
    rows = read_manifest(manifest)
    every_split = splits_of(manifest, rows, splits)
    split = next((split for split in every_split if split.number == number), None)
    if split is None:
        numbers = ", ".join(str(split.number) for split in every_split)
        raise SetupError(f"no split {number} in {manifest}; there are {numbers}")
    source: dict[str, JsonValue] = {"manifest": str(manifest), "split": number}
    if splits is not None:
        source["splits"] = str(splits)
    calibrate = [rows[i] for i in split.images(Part.CALIBRATE)]
    parts = TrainingParts([rows[i] for i in split.train], calibrate, source)
    for name, part in (("train", parts.train), ("calibrate", parts.calibrate)):
        if not part:
            raise SetupError(f"split {number} of {manifest} has no {name} part")
    return parts


def load_parts(
    parts: TrainingParts,
    architecture: Architecture,
    settings: Settings,
    on_done: Callable[[int], None],
) -> TrainingData:
    """Decode the images of both parts; ``on_done`` hears how many more are done."""
    limits = Limits.of(settings)
    declaration = declaration_of(settings)
    declared = {} if declaration is None else declaration.variables

    def samples(rows: Sequence[ManifestRow]) -> Samples:
        images = load_images(
            [row.path for row in rows],
            architecture.input_size,
            limits,
            colour=architecture.colour,
            on_done=on_done,
        )
        return Samples(
            images,
            tuple(row.label or "" for row in rows),
            tuple(session_of(row) for row in rows),
            tuple(row.background for row in rows),
            declared,
        )

    return TrainingData(samples(parts.train), samples(parts.calibrate), parts.source)


def run(
    config: TrainingConfig,
    manifest: Path,
    splits: Path | None,
    number: int,
    out: Path,
    settings: Settings,
    bar: Progress,
) -> tuple[Path, dict[str, Any]]:
    """Train, showing on ``bar`` how far it is; return the model folder and the run's figures."""
    keep_freed_memory()
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    parts = parts_of(manifest, splits, number)
    loading = bar.add_task("Decoding", total=len(parts))
    data = load_parts(parts, config.architecture, settings, lambda n: bar.advance(loading, n))
    bar.remove_task(loading)
    training = bar.add_task("Training", total=config.steps)
    shown = {"loss": math.nan, "calibrate_tpir": math.nan}

    def on_step(step: int, figures: Mapping[str, float]) -> None:
        shown.update({name: figures[name] for name in shown if name in figures})
        words = f"loss {shown['loss']:.2f}  calibrate TPIR {shown['calibrate_tpir']:.3f}"
        bar.update(training, completed=step, description=f"Training  {words}")

    model = train(config, data, out, choose_device(settings.device), on_step)
    figures = read_model(model)[0].training
    return model, {} if figures is None else figures
