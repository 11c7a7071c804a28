"""Short runs, and what they leave behind."""

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


def learner(**changes: Any) -> Learner:
    return Learner(config(**changes), samples(), CPU)
