"""The models that are compared, each embedding what it is asked for once in each view."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from lab.evaluate.exam import ModelVariant
from lab.evaluate.heads import heads_report
from lab.evaluate.summary import Embedder
from lab.images.embed import EmbeddedImages, embed, model_folder, of_split
from lab.images.manifest import ManifestRow
from recognition.distance import FloatArray
from recognition.paper_distances import FITTED, Distance
from recognition.protocol import Indices, Split
from schemas.settings import Settings, Views


class Models:
    """Model folders, ``plain``, or paths with ``{split}``, with every distance and kind of views.

    A folder embeds the images of the splits that use it, when it is first asked for.
    """

    def __init__(
        self,
        models: Sequence[str],
        distances: Sequence[Distance],
        splits: Sequence[Split],
        views: Sequence[Views] = (Views.NONE,),
    ) -> None:
        self._distances = distances
        self._views = views
        self._splits = splits
        self._models = dict(zip(models, _names(models), strict=True))
        self._images = _images(models, splits, fitted=not FITTED.isdisjoint(distances))
        self._parts: dict[tuple[str, Views], EmbeddedImages] = {}
        for folder in self._images:
            model_folder(folder)

    @property
    def images(self) -> int:
        """How many images are embedded in all; one that two models embed counts twice."""
        return len(self._views) * sum(map(len, self._images.values()))

    @property
    def refused(self) -> dict[str, str]:
        """Why an image was left out, by its path."""
        return {path: why for part in self._parts.values() for path, why in part.refused.items()}

    def variants(
        self, rows: Sequence[ManifestRow], settings: Settings, on_done: Callable[[int], None]
    ) -> list[ModelVariant]:
        """Return every model with every kind of views and every distance.

        Args:
            settings: as a worker has them, but for the views.
            on_done: hears how many more images were embedded.
        """

        def embeddings(model: str, views: Views) -> Callable[[Split], FloatArray]:
            seen = settings.model_copy(update={"views": views})
            return lambda split: self._of(model, split, rows, seen, on_done).vectors

        return [
            ModelVariant(self._name(model, views, distance), embeddings(model, views), distance)
            for model, views, distance in self._every()
        ]

    def embedders(self, rows: Sequence[ManifestRow]) -> dict[str, Embedder]:
        """Return what embedded for each variant, by its name, once all have embedded ``rows``."""
        embedders = {}
        for model, views, distance in self._every():
            parts = {
                split.number: self._parts[of_split(model, split.number), views]
                for split in self._splits
            }
            embedders[self._name(model, views, distance)] = Embedder(
                models={split: part.model for split, part in parts.items()},
                image_ms=float(np.mean([part.image_ms for part in parts.values()])),
                heads=heads_report(rows, self._splits, parts),
            )
        return embedders

    def _every(self) -> Iterator[tuple[str, Views, Distance]]:
        return product(self._models, self._views, self._distances)

    def _name(self, model: str, views: Views, distance: Distance) -> str:
        parts = [self._models[model]]
        parts += [views] if len(self._views) > 1 else []
        parts += [distance] if len(self._distances) > 1 else []
        return ", ".join(parts)

    def _of(
        self,
        model: str,
        split: Split,
        rows: Sequence[ManifestRow],
        settings: Settings,
        on_done: Callable[[int], None],
    ) -> EmbeddedImages:
        folder = of_split(model, split.number)
        key = folder, settings.views
        if key not in self._parts:
            images = self._images[folder]
            part = embed(model_folder(folder), [rows[i] for i in images], settings, on_done)
            vectors = np.full((len(rows), part.vectors.shape[1]), np.nan, dtype=np.float32)
            vectors[images] = part.vectors
            self._parts[key] = replace(part, vectors=vectors)
        return self._parts[key]


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
            needed[of_split(model, split.number)] += [*parts, split.train] if fitted else parts
    return {folder: np.unique(np.concatenate(parts)) for folder, parts in needed.items()}
