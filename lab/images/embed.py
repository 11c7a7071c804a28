"""The model that embeds the images of a manifest, and what it makes of them, as a worker does."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from lab.images.manifest import ManifestRow
from recognition.distance import FloatArray
from recognition.protocol import Split
from schemas.choices import InferenceRuntime
from schemas.errors import BadInput, SetupError
from schemas.settings import Settings
from workers.images.decode import Limits, Pixels, prepare
from workers.model.forward import embed_each
from workers.model.malloc import keep_freed_memory
from workers.model.model import EmbeddingModel, load_model
from workers.model.model_folder import read_model
from workers.training.auxiliary import AuxiliaryHeads, load_heads

PLAIN: Final = "plain"
"""Stands for the backbone that comes with Perennial, where a model folder is asked for."""

_SPLIT: Final = "{split}"
_BATCH: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedImages:
    """Embeddings (n, d) of n images, NaN where an image was refused; why, by its path.

    ``image_ms`` is the time of the forward passes for one image; others are decoded meanwhile.
    ``heads`` tell of the background from these embeddings, where the model has any.
    """

    model: str
    vectors: FloatArray
    refused: dict[str, str]
    image_ms: float
    heads: AuxiliaryHeads | None = None

    @property
    def sound(self) -> NDArray[np.intp]:
        """The places of the images that have an embedding, in ascending order."""
        return np.flatnonzero(np.isfinite(self.vectors).all(axis=1))


def default_model(settings: Settings) -> str:
    """Return the model that the settings name, where none is asked for."""
    return PLAIN if settings.model is None else str(settings.model)


def of_split(path: str, split: int | None) -> str:
    """Return the path of this split, of one that has ``{split}`` in it.

    Raises:
        SetupError: the path has, but there is no split.
    """
    if split is None and _SPLIT in path:
        raise SetupError(f"{path} is another folder for each split: say which with --split")
    return path.replace(_SPLIT, str(split))


def model_folder(model: str) -> Path | None:
    """Return where a model lies; None for the backbone as it comes."""
    if model == PLAIN:
        return None
    if not Path(model).is_dir():
        raise SetupError(
            f"no model folder {model}; --model takes a folder that `perennial train` wrote, a path "
            f"with {_SPLIT} where each split has its own, or {PLAIN!r} for the backbone as it comes"
        )
    return Path(model)


def version_of(folder: Path | None, settings: Settings) -> str:
    """Return the version of a model."""
    # Torch can compute every model: the fastest runtime need not be looked for.
    update = {"model": folder, "runtime": InferenceRuntime.TORCH}
    return load_model(settings.model_copy(update=update)).version


def embed_with(
    model: str, split: Split, rows: Sequence[ManifestRow], settings: Settings, bar: Progress
) -> EmbeddedImages:
    """Embed images with a model folder, ``plain``, or the path with ``{split}`` of one split."""
    folder = model_folder(of_split(model, split.number))
    task = bar.add_task("embedding", total=len(rows))
    return embed(folder, rows, settings, lambda count: bar.advance(task, count))


def embed(
    folder: Path | None,
    rows: Sequence[ManifestRow],
    settings: Settings,
    on_done: Callable[[int], None],
) -> EmbeddedImages:
    """Embed the images with a model folder, or the plain backbone where that is None.

    The next batch is decoded while one is embedded. ``on_done`` hears how many more are done.
    """
    keep_freed_memory()
    model = load_model(settings.model_copy(update={"model": folder}))
    heads = None if folder is None else load_heads(*read_model(folder))
    embeddings = np.full((len(rows), model.dimension), np.nan, dtype=np.float32)
    refused: dict[str, str] = {}
    seconds, passed = 0.0, 0
    prepared = _prepared(rows, model, settings)
    for start, images in zip(range(0, len(rows), _batch(settings)), prepared, strict=True):
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
                embeddings[index] = vector
        on_done(len(images))
    return EmbeddedImages(
        model.version, embeddings, refused, 1000 * seconds / max(1, passed), heads
    )


def _prepared(
    rows: Sequence[ManifestRow], model: EmbeddingModel, settings: Settings
) -> Iterator[list[Pixels | str]]:
    """Yield batch after batch what the model takes, or why there is none; one batch ahead."""
    limits = Limits.of(settings)

    def pixels_of(row: ManifestRow) -> Pixels | str:
        try:
            return prepare(row.path.read_bytes(), (), limits, model.input_size)[0]
        except (BadInput, OSError) as error:
            return str(error)

    size = _batch(settings)
    with ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="decode") as pool:
        ahead: Iterator[Pixels | str] = iter(())
        for start in range(0, len(rows), size):
            images = ahead
            ahead = pool.map(pixels_of, rows[start : start + size])
            if start:
                yield list(images)
        if rows:
            yield list(ahead)


def _batch(settings: Settings) -> int:
    """Return how many images are embedded at once."""
    return _BATCH if settings.batch_size is None else settings.batch_size
