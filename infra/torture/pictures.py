"""Small pictures of a few motifs: motifs are recognised, and each picture can be told apart."""

from functools import cache

import cv2
import numpy as np

MOTIFS = 14
PICTURES = 8
"""How many pictures of each motif there are; every frame shows one of them."""

_SIDE = 128
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
    image = cv2.resize(blocks, (_SIDE, _SIDE), interpolation=way).astype(np.float64)
    across, down = np.meshgrid(np.arange(_SIDE), np.arange(_SIDE))
    angle, period = rng.uniform(0, np.pi), rng.uniform(5, 40)
    stripes = np.sin(2 * np.pi * (across * np.cos(angle) + down * np.sin(angle)) / period)
    return np.asarray(image + 60 * stripes[..., None], dtype=np.float64)
