"""The forward pass of a batch, in which what fails, fails alone."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from schemas.errors import BadInput, DependencyDown
from schemas.event import FloatVector
from workers.images.decode import Pixels

PART = "model"

Result = FloatVector | BadInput


class Embeds(Protocol):
    """What the service needs of a model; ``workers.model.model.EmbeddingModel`` is one."""

    version: str
    input_size: tuple[int, int]

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map (n, h, w, 3) uint8, (h, w) being the input size, to (n, d) float32."""
        ...


def embed_each(
    model: Embeds, images: Sequence[Pixels], too_large: Callable[[int], None] = lambda _: None
) -> list[Result]:
    """Embed a batch; return for each image its vector, or why it has none.

    A batch that does not fit in memory is halved; one that fails otherwise is tried image by
    image. Before an image is blamed, the model must prove itself on a grey one.

    Args:
        model: what embeds.
        images: of the size that it takes.
        too_large: hears how many images did not fit in memory.

    Raises:
        DependencyDown: when it is the model that is broken, or memory is short for one image.
    """
    try:
        vectors = model.embed(np.stack(images))
    except torch.OutOfMemoryError as error:
        if len(images) == 1:
            raise DependencyDown(PART, f"no memory for a single image: {error}") from error
        too_large(len(images))
        half = len(images) // 2
        return [
            result
            for part in (images[:half], images[half:])
            for result in embed_each(model, part, too_large)
        ]
    except Exception as error:  # noqa: BLE001  # whatever one image does, the others go on
        if len(images) > 1:
            return [result for image in images for result in embed_each(model, [image])]
        _prove(model)
        return [BadInput("model_failed", f"{type(error).__name__}: {error}")]
    sound = unit(vectors)
    if not sound.all():
        _prove(model)
    return [
        vector if good else BadInput("model_failed", "the model gives no unit vector for it")
        for vector, good in zip(vectors, sound, strict=True)
    ]


def unit(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell for each row of (n, d) whether it has unit norm; NaN and infinity do not."""
    return np.asarray(np.abs(np.linalg.norm(vectors, axis=1) - 1) < 1e-3)


def grey(model: Embeds) -> NDArray[np.uint8]:
    """Return a grey image as a batch of one: any sound model has a vector for it."""
    return np.full((1, *model.input_size, 3), 127, np.uint8)


def _prove(model: Embeds) -> None:
    try:
        sound = bool(unit(model.embed(grey(model))).all())
    except Exception as error:
        why = f"fails on a grey image too: {type(error).__name__}: {error}"
        raise DependencyDown(PART, why) from error
    if not sound:
        raise DependencyDown(PART, "gives no unit vector for a grey image either")
