"""The embeddings of all images of a manifest, made as a worker makes them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from lab.images.manifest import ManifestRow
from recognition.distance import FloatArray
from schemas.errors import BadInput
from schemas.settings import Settings
from workers.images.decode import Limits, Pixels, prepare
from workers.model.forward import embed_each
from workers.model.malloc import keep_freed_memory
from workers.model.model import EmbeddingModel
from workers.model.model_folder import read_model
from workers.training.auxiliary import AuxiliaryHeads
from workers.training.saved_heads import load_heads


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Embeddings (n, d) of n images, NaN where an image was refused; why, by its path.

    ``image_ms`` is the time of the forward passes for one image; others are decoded meanwhile.
    ``heads`` tell of the background from these embeddings, where the model has any.
    """

    model: str
    vectors: FloatArray
    refused: dict[str, str]
    image_ms: float
    heads: AuxiliaryHeads | None = None


def embed(
    folder: Path | None,
    rows: Sequence[ManifestRow],
    settings: Settings,
    on_done: Callable[[int], None],
) -> Embedded:
    """Embed the images with a model folder, or the plain backbone where that is None.

    The next batch is decoded while one is embedded. ``on_done`` hears how many more are done.

    Raises:
        SetupError: the model cannot be loaded.
        DependencyDown: the model stopped giving embeddings.
    """
    keep_freed_memory()
    model = EmbeddingModel.of(settings.model_copy(update={"model": folder}))
    heads = None if folder is None else load_heads(*read_model(folder))
    made = np.full((len(rows), model.dimension), np.nan, dtype=np.float32)
    refused: dict[str, str] = {}
    seconds, passed = 0.0, 0
    prepared = _prepared(rows, model, settings)
    for start, images in zip(range(0, len(rows), settings.batch_size), prepared, strict=True):
        batch = rows[start : start + len(images)]
        sound = [(start + i, image) for i, image in enumerate(images) if not isinstance(image, str)]
        refused.update(
            {row.id: why for row, why in zip(batch, images, strict=True) if isinstance(why, str)}
        )
        started = perf_counter()
        vectors = embed_each(model, [image for _, image in sound]) if sound else []
        seconds, passed = seconds + perf_counter() - started, passed + len(sound)
        for (index, _), vector in zip(sound, vectors, strict=True):
            if isinstance(vector, BadInput):
                refused[rows[index].id] = str(vector)
            else:
                made[index] = vector
        on_done(len(images))
    return Embedded(model.version, made, refused, 1000 * seconds / max(1, passed), heads)


def _prepared(
    rows: Sequence[ManifestRow], model: EmbeddingModel, settings: Settings
) -> Iterator[list[Pixels | str]]:
    """Yield batch after batch what the model takes, or why there is none; one batch ahead."""
    limits = Limits(settings.max_image_bytes, settings.max_image_pixels)

    def one(row: ManifestRow) -> Pixels | str:
        try:
            return prepare(row.path.read_bytes(), (), limits, model.input_size)[0]
        except (BadInput, OSError) as error:
            return str(error)

    size = settings.batch_size
    with ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="decode") as pool:
        ahead: Iterator[Pixels | str] = iter(())
        for start in range(0, len(rows), size):
            images = ahead
            ahead = pool.map(one, rows[start : start + size])
            if start:
                yield list(images)
        if rows:
            yield list(ahead)
