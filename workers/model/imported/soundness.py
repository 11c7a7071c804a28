"""Whether a model that somebody brings may enter a gallery: one image, one vector, always."""

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SetupError
from workers.model.forward import Embeds, unit
from workers.model.runtimes.choice import MAX_DIFFERENCE
from workers.model.runtimes.workplace import noise

_TURNS = 3
_LEAST_SPREAD = 1e-4
"""Cosine distance below which all images look the same to a model."""


def prove(model: Embeds) -> None:
    """Embed fixed images alone, together and in another order.

    Raises:
        SetupError: telling what was seen: no unit vectors, other vectors for the same image beside
            other images, or the same vector for all.
    """
    images = _images(model.input_size)
    together = _embedded(model, images)
    alone = np.concatenate([_embedded(model, image[None]) for image in images])
    order = np.roll(np.arange(len(images)), _TURNS)
    turned = np.empty_like(together)
    turned[order] = _embedded(model, images[order])
    for other, how in ((alone, "alone"), (turned, "in another place of the batch")):
        difference = np.abs(together - other).max(axis=1)
        if not difference.max() <= MAX_DIFFERENCE:
            worst = int(difference.argmax())
            raise SetupError(
                f"the model gives other vectors for the same image {how}: image {worst} of "
                f"{len(images)} differs by {difference[worst]:.3g} (at most {MAX_DIFFERENCE:g} is "
                "rounding). Export it in evaluation mode"
            )
    spread = float(1 - (together @ together.T).min())
    if spread < _LEAST_SPREAD:
        raise SetupError(
            f"the model gives the same vector for {len(images)} images that have nothing in common "
            f"(largest cosine distance {spread:.2g}): are --mean and --std right?"
        )


def _embedded(model: Embeds, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    try:
        vectors = model.embed(images)
    except Exception as error:  # whatever a program of somebody raises
        raise SetupError(f"the model fails on {len(images)} images: {error}") from error
    sound = unit(vectors)
    if not sound.all():
        row = int(np.flatnonzero(~sound)[0])
        raise SetupError(
            f"the model gives {int((~sound).sum())} of {len(images)} images no unit vector: the "
            f"first numbers of image {row} are {vectors[row][:4].tolist()}"
        )
    return vectors


def _images(size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(noise(size).round().byte().permute(0, 2, 3, 1).numpy())
