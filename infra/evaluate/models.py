"""The models that are compared, each embedding the images that it is asked for once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from infra.evaluate.embed import Embedded, embed
from infra.evaluate.exam import Variant
from infra.manifest import ManifestRow
from recognition.distance import FloatArray
from recognition.paper_distances import FITTED, Distance
from recognition.protocol import Indices, Split
from schemas.errors import SetupError
from schemas.settings import Settings

PLAIN: Final = "plain"
"""Stands for the backbone that comes with Perennial, where a model folder is asked for."""

_SPLIT: Final = "{split}"


class Models:
    """Model folders, ``plain``, or paths with ``{split}`` in them, each with every distance.

    A folder embeds the images of the splits that use it, when it is first asked for.

    Raises:
        SetupError: a folder is missing.
    """

    def __init__(
        self, models: Sequence[str], distances: Sequence[Distance], splits: Sequence[Split]
    ) -> None:
        self._distances = distances
        self._splits = splits
        self._models = dict(zip(models, _names(models), strict=True))
        self._images = _images(models, splits, fitted=not FITTED.isdisjoint(distances))
        self._made: dict[str, Embedded] = {}
        for folder in self._images:
            if folder != PLAIN and not Path(folder).is_dir():
                raise SetupError(
                    f"no model folder {folder}; --model takes a folder that `perennial train` "
                    f"wrote, a path with {_SPLIT} where each split has its own, or {PLAIN!r} for "
                    "the backbone as it comes"
                )

    @property
    def images(self) -> int:
        """How many images are embedded in all; one that two models embed counts twice."""
        return sum(map(len, self._images.values()))

    @property
    def refused(self) -> dict[str, str]:
        """Why an image was left out, by its path."""
        return {path: why for made in self._made.values() for path, why in made.refused.items()}

    def variants(
        self, rows: Sequence[ManifestRow], settings: Settings, on_done: Callable[[int], None]
    ) -> list[Variant]:
        """Return every model with every distance.

        Args:
            rows: the images.
            settings: as a worker has them.
            on_done: hears how many more images were embedded.
        """

        def embeddings(model: str) -> Callable[[Split], FloatArray]:
            return lambda split: self._of(_folder(model, split), rows, settings, on_done).vectors

        return [
            Variant(self._name(model, distance), embeddings(model), distance)
            for model in self._models
            for distance in self._distances
        ]

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Return the versions that embedded for each variant, by its name."""
        return {
            self._name(model, distance): tuple(
                dict.fromkeys(self._made[_folder(model, split)].model for split in self._splits)
            )
            for model in self._models
            for distance in self._distances
        }

    def _name(self, model: str, distance: Distance) -> str:
        name = self._models[model]
        return name if len(self._distances) == 1 else f"{name}, {distance}"

    def _of(
        self,
        folder: str,
        rows: Sequence[ManifestRow],
        settings: Settings,
        on_done: Callable[[int], None],
    ) -> Embedded:
        if folder not in self._made:
            path = None if folder == PLAIN else Path(folder)
            images = self._images[folder]
            made = embed(path, [rows[i] for i in images], settings, on_done)
            vectors = np.full((len(rows), made.vectors.shape[1]), np.nan, dtype=np.float32)
            vectors[images] = made.vectors
            self._made[folder] = Embedded(made.model, vectors, made.refused)
        return self._made[folder]


def _names(models: Sequence[str]) -> Sequence[str]:
    """Name each model by its folder alone, where that tells them apart."""
    short = [Path(model).name for model in models]
    return short if len(set(short)) == len(short) else models


def _images(models: Sequence[str], splits: Sequence[Split], *, fitted: bool) -> dict[str, Indices]:
    """Return which images each folder embeds; those trained on only where something is fitted."""
    needed: dict[str, list[Indices]] = defaultdict(list)
    for model in models:
        for split in splits:
            parts = [image for t in split.trials.values() for image in (t.gallery, t.probes)]
            needed[_folder(model, split)] += [*parts, split.train] if fitted else parts
    return {folder: np.unique(np.concatenate(parts)) for folder, parts in needed.items()}


def _folder(model: str, split: Split) -> str:
    return model.replace(_SPLIT, str(split.number))
