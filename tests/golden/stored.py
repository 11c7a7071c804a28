"""Images that are embedded as it is stored: the one place where golden outputs reach inside."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from schemas.choices import Device, Precision, Views
from schemas.settings import load_settings
from workers.model.model import EmbeddingModel, load_model

INPUTS: Final = Path(__file__).parent / "inputs"
MODEL: Final = INPUTS / "model"
MANIFEST: Final = INPUTS / "manifest.csv"
CONDITIONING: Final = INPUTS / "conditioning"

_SIDE = 16  # of the model's input: nothing is resized
_MARK = 200  # in the third channel: no other image of these tests has this colour

Embeds = NDArray[np.float32]


def vectors() -> Embeds:
    """Return the embeddings (n, 32) of the manifest's n images, in its order."""
    with np.load(INPUTS / "herd.npz") as stored:
        return np.asarray(stored["vectors"], np.float32)


def write_images(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write an image of one colour for each row, which tells its number; return the manifest.

    From now on the model gives the stored embedding of that row for it.
    """
    folder.mkdir()
    manifest = folder / MANIFEST.name
    manifest.write_bytes(MANIFEST.read_bytes())
    names = [line.partition(",")[0] for line in manifest.read_text().splitlines()[1:]]
    for row, name in enumerate(names):
        blue_green_red = np.array([_MARK, row % 256, row // 256], np.uint8)
        assert cv2.imwrite(str(folder / name), np.full((_SIDE, _SIDE, 3), blue_green_red))
    stored, computed = vectors(), EmbeddingModel.embed

    def embed(self: EmbeddingModel, images: NDArray[np.uint8]) -> Embeds:
        red, green, blue = (images[:, 0, 0, channel].astype(np.intp) for channel in range(3))
        if not (blue == _MARK).all():
            return computed(self, images)
        return np.asarray(stored[256 * red + green])

    monkeypatch.setattr(EmbeddingModel, "embed", embed)
    return manifest


def embedded(
    folder: Path | None, images: NDArray[np.uint8], views: str = "none"
) -> list[list[float]]:
    """Embed images (n, h, w, 3) with a model folder, None being the default, in 32 bits."""
    model = load_model(
        load_settings(
            model=folder,
            device=Device.CPU,
            precision=Precision.FLOAT32,
            threads=1,
            views=Views(views),
        )
    )
    assert images.shape[1:3] == model.input_size
    return [[float(f"{x:.7g}") for x in vector] for vector in model.embed(images).tolist()]
