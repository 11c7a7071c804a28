"""Samples and settings of runs that take a moment."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tests.image_set import SEASONS, patterns
from workers.model.network import Architecture, Head
from workers.model.photometric import Light
from workers.training.config import TrainingConfig
from workers.training.data import Samples, TrainingData

CPU = torch.device("cpu")
SIDE = 16
DIMENSION = 8

ARCHITECTURE = Architecture(
    backbones=("conv4",),
    head=Head.LINEAR,
    dimension=DIMENSION,
    input_size=(SIDE, SIDE),
    colour=False,
    light=Light.STANDARDISE,
)


def config(architecture: Architecture = ARCHITECTURE, **changes: Any) -> TrainingConfig:
    """Six steps of four identities, from scratch, unless told otherwise."""
    values: dict[str, Any] = {
        "name": "tiny",
        "architecture": architecture,
        "pretrained": False,
        "loss": "multi-similarity",
        "identities": 4,
        "images": 2,
        "steps": 6,
        "evaluate_every": 2,
        "average": 0.5,
    }
    return TrainingConfig.model_validate({**values, **changes})


def samples(identities: int = 6, shots: int = 4, seed: int = 0) -> Samples:
    """Grey images, each shot on its own date, every second one in winter."""
    images = patterns(identities, shots, SIDE, seed)[..., :1].reshape(-1, SIDE, SIDE, 1)
    return Samples(
        torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        tuple(f"id{i}" for i in range(identities) for _ in range(shots)),
        tuple(f"2025-04-{1 + k:02d}" for _ in range(identities) for k in range(shots)),
        tuple(
            {"season": SEASONS[k % 2], "hour": 6 + 2 * k}
            for _ in range(identities)
            for k in range(shots)
        ),
    )


def data() -> TrainingData:
    """Six identities to learn from, four others to choose by."""
    return TrainingData(samples(), samples(4, seed=1))


def as_frames(some: Samples) -> NDArray[np.uint8]:
    """Return (n, h, w, 3): grey images as a decoder gives them."""
    return np.ascontiguousarray(some.images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy())
