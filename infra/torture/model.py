"""A model that costs almost nothing, so that what is measured is the system around it."""

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import torch

from infra.torture.pictures import MOTIFS, PICTURES, picture
from workers.model.model_folder import ModelCard, write_model
from workers.model.network import Architecture, EmbeddingNetwork
from workers.model.pooling import Pooling

_SIDE = 64
_CELLS = 2
_SIZE = 64 * _CELLS * _CELLS
_ARCHITECTURE = Architecture(
    backbones=("conv4",),
    pooling=Pooling.GRID,
    grid=(_CELLS, _CELLS),
    dimension=_SIZE,
    input_size=(_SIDE, _SIDE),
)


def write_cheap_model(folder: Path) -> Path:
    """Write a small network of random weights, centred on the pictures; return its folder."""
    torch.manual_seed(0)
    network = EmbeddingNetwork(_ARCHITECTURE).eval()
    with torch.inference_mode():
        [features] = network.pooled(_pictures())
        network.centres[0].copy_(features.mean(0))
    about = "random weights: tells the pictures of `perennial torture` apart"
    write_model(
        folder,
        ModelCard(name="torture", architecture=_ARCHITECTURE, about=about),
        network.state_dict(),
    )
    return folder


def _pictures() -> torch.Tensor:
    numbers = product(range(MOTIFS), range(PICTURES))
    read = (cv2.imdecode(np.frombuffer(picture(*shows), np.uint8), 1) for shows in numbers)
    images = [cv2.resize(image, (_SIDE, _SIDE)) for image in read if image is not None]
    return torch.from_numpy(np.stack(images)[..., ::-1].copy()).permute(0, 3, 1, 2)
