"""Small pictures of a few motifs, and a model that tells them apart and costs almost nothing."""

from functools import cache
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import torch

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
MOTIFS = 14
PICTURES = 8
"""How many pictures of each motif there are; every frame shows one of them."""

_PICTURE_SIDE = 128
_BLOCKS = 5


@cache
def picture(motif: int, number: int) -> bytes:
    """Return one picture of a motif as JPEG; the same for the same arguments."""
    rng = np.random.default_rng([motif, number, 1])
    scene = _scene(motif)
    light = rng.uniform(0.7, 1.25)
    shifted = np.roll(scene, rng.integers(-14, 15, 2), axis=(0, 1))
    noisy = shifted * light + rng.normal(0, 6, shifted.shape)
    done, encoded = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8))
    if not done:
        raise RuntimeError("this OpenCV cannot write JPEG")
    return bytes(encoded)


@cache
def _scene(motif: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Coloured blocks with a coarse or fine stripe over them, unlike those of any other motif."""
    rng = np.random.default_rng([motif, 0])
    blocks = rng.integers(0, 256, (_BLOCKS, _BLOCKS, 3)).astype(np.uint8)
    way = (cv2.INTER_NEAREST, cv2.INTER_CUBIC)[motif % 2]
    image = cv2.resize(blocks, (_PICTURE_SIDE, _PICTURE_SIDE), interpolation=way).astype(np.float64)
    across, down = np.meshgrid(np.arange(_PICTURE_SIDE), np.arange(_PICTURE_SIDE))
    angle, period = rng.uniform(0, np.pi), rng.uniform(5, 40)
    stripes = np.sin(2 * np.pi * (across * np.cos(angle) + down * np.sin(angle)) / period)
    return np.asarray(image + 60 * stripes[..., None], dtype=np.float64)


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
