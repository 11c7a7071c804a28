"""The embeddings that one-shot runs are drawn from."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lab.images.embed import embed
from lab.images.manifest import ManifestRow
from recognition.distance import FloatArray
from schemas.errors import SetupError
from schemas.settings import Settings


def embed_splits(
    model: str | None,
    rows: Sequence[ManifestRow],
    images: Mapping[int, Sequence[int]],
    settings: Settings,
    on_done: Callable[[int], None],
) -> dict[int, FloatArray]:
    """Return for each split the embeddings (n, d) of all rows, NaN where it needs none.

    Args:
        model: a folder, with ``{split}`` in it where each split has its own; None for the plain
            backbone.
        rows: n of them.
        images: by split, which of them it needs.
        settings: as a worker has them.
        on_done: hears how many more images were embedded.

    Raises:
        SetupError: a model cannot be loaded, or an image is refused.
    """
    needed: dict[str | None, set[int]] = defaultdict(set)
    folders = {split: model and model.replace("{split}", str(split)) for split in images}
    for split, some in images.items():
        needed[folders[split]].update(some)
    made = {}
    for folder, those in needed.items():
        where = sorted(those)
        found = embed(Path(folder) if folder else None, [rows[i] for i in where], settings, on_done)
        if found.refused:
            raise SetupError("; ".join(f"{path}: {why}" for path, why in found.refused.items()))
        vectors = np.full((len(rows), found.vectors.shape[1]), np.nan, dtype=np.float32)
        vectors[where] = found.vectors
        made[folder] = vectors
    return {split: made[folder] for split, folder in folders.items()}
