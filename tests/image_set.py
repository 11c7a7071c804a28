"""Small labelled images for training: a coarse pattern for each identity, in changing light."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SEASONS = ("summer", "winter")
_GAINS = (1.0, 0.6)
_CELLS = 4


def patterns(identities: int, shots: int, side: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return (identities, shots, side, side, 3) uint8; every second shot is in winter's light."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (identities, 1, _CELLS, _CELLS, 3))
    gains = np.resize(_GAINS, shots).reshape(1, shots, 1, 1, 1)
    noise = rng.normal(0, 12, (identities, shots, _CELLS, _CELLS, 3))
    seen: NDArray[np.uint8] = np.clip(cells * gains + noise, 0, 255).astype(np.uint8)
    return np.repeat(np.repeat(seen, side // _CELLS, axis=2), side // _CELLS, axis=3)


def write_image_set(folder: Path, identities: int, shots: int, side: int = 16) -> Path:
    """Write the images and a manifest of them, each shot on a date of its own; return that."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["path,label,date,season,hour"]
    for identity, images in enumerate(patterns(identities, shots, side)):
        for shot, image in enumerate(images):
            name = f"{identity}-{shot}.png"
            assert cv2.imwrite(str(folder / name), image[:, :, ::-1])
            season = SEASONS[shot % len(SEASONS)]
            lines.append(f"{name},id{identity},2025-04-{1 + shot:02d},{season},{6 + 2 * shot}")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifest
