"""Short runs, and what they leave behind."""

import json
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.unit.training_samples import CPU, config, data, samples
from workers.training.learner import Learner
from workers.training.loop import OnStep, train


def run(out: Path, on_step: OnStep | None = None, **changes: Any) -> Path:
    return train(config(**changes), data(), out, CPU, on_step)


def weights(out: Path) -> bytes:
    return (out / "model" / "weights.safetensors").read_bytes()


def logged(out: Path, name: str = "loss") -> list[int]:
    events = EventAccumulator(str(out / "tensorboard")).Reload()
    return [event.step for event in events.Scalars(name)]


def read_history(out: Path) -> list[dict[str, float]]:
    """Return the whole lines of the figures; a run may be writing the last one."""
    metrics = out / "metrics.jsonl"
    lines = metrics.read_bytes().split(b"\n") if metrics.exists() else [b""]
    return [json.loads(line) for line in lines[:-1]]


def learner(**changes: Any) -> Learner:
    return Learner(config(**changes), samples(), CPU)
