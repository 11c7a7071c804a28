"""The models that are compared, each embedding what it is asked for once in each view."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from lab.evaluate.exam import ModelVariant
from lab.evaluate.report import HeadReport
from lab.evaluate.summary import Embedder, number
from lab.images.embed import EmbeddedImages, embed, model_folder, of_split
from lab.images.manifest import ManifestRow
from recognition.distance import FloatArray
from recognition.evaluation import mean
from recognition.paper_distances import FITTED, Distance
from recognition.protocol import Indices, Part, Split
from schemas.choices import Views
from schemas.errors import SetupError
from schemas.event import Scalar
from schemas.settings import Settings
from workers.training.directions import Figure
from workers.training.variables import MISSING, LearnedVariable


def heads_report(
    rows: Sequence[ManifestRow], splits: Sequence[Split], embedded: Mapping[int, EmbeddedImages]
) -> tuple[HeadReport, ...]:
    """Return the mean over the splits of what each head tells; nothing for a model without heads.

    Args:
        rows: all images. Their background is taken as it stands: so it was in training.
        splits: whose test images are looked at.
        embedded: by the number of the split.
    """
    # By measure too: two values in one split and three in another are different kinds of variable.
    by_head: dict[tuple[str, str, str], list[Figure]] = defaultdict(list)
    for split in splits:
        for name, aim, figure in _figures(rows, split, embedded[split.number]):
            by_head[name, aim, figure.measure].append(figure)
    return tuple(_mean(*key, figures) for key, figures in by_head.items())


def _figures(
    rows: Sequence[ManifestRow], split: Split, embedded: EmbeddedImages
) -> list[tuple[str, str, Figure]]:
    if embedded.heads is None:
        return []
    images = np.intersect1d(split.images(Part.TEST), embedded.sound)
    learned = embedded.heads.learned
    codes = [[_code(v, rows[i].background.get(v.name)) for _, v in learned] for i in images]
    report = embedded.heads.report(
        torch.from_numpy(embedded.vectors[images]),
        torch.tensor(codes, dtype=torch.float32).reshape(len(images), len(learned)),
    )
    return [(task.name, task.aim.value, report[task.name]) for task, _ in learned]


def _code(variable: LearnedVariable, value: Scalar | None) -> float:
    """Encode a value; one that is none of this variable is as good as missing in other data."""
    try:
        return variable.encode(value)
    except SetupError:
        return MISSING


def _mean(name: str, aim: str, measure: str, figures: Sequence[Figure]) -> HeadReport:
    known = [figure for figure in figures if np.isfinite(figure.value)]
    values = np.array([figure.value for figure in known])
    return HeadReport(
        variable=name,
        aim=aim,
        measure=measure,
        value=number(mean(values)),
        spread=float(values.std(ddof=1)) if values.size > 1 else None,
        chance=number(mean(np.array([figure.chance for figure in known]))),
        images=sum(figure.count for figure in figures),
    )


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
