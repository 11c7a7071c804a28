"""One set, decoded once, and a network with its first weights: what all losses share."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.losses.job import Job
from benchmarks.losses.table import PLAIN, STARTED, Figures
from lab.images.embed import embed
from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import chosen, splits_of
from lab.train import load_parts, parts_of
from recognition.distance import distances
from recognition.evaluation import identify, rank1, tpir_at_fpir
from recognition.protocol import Part, Split, Trial
from schemas.settings import Settings
from workers.model.model import choose_device
from workers.training.data import FPIR, calibrate_tpir
from workers.training.learner import Learner
from workers.training.start import first_network

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """The images that a split tests with, and its trials by scenario as indices of them."""

    rows: list[ManifestRow]
    trials: Mapping[str, Trial]


def tested(rows: Sequence[ManifestRow], split: Split) -> Tested:
    """Return the test part of a split of these rows, each image once."""
    used = split.images(Part.TEST)
    trials = {name: split.trials[name, Part.TEST] for name in split.scenarios}
    return Tested(
        [rows[i] for i in used],
        MappingProxyType(
            {
                name: Trial(np.searchsorted(used, t.gallery), np.searchsorted(used, t.probes))
                for name, t in trials.items()
            }
        ),
    )


class Bench:
    """A set on which losses are tried.

    Raises:
        SetupError: as :func:`lab.train.parts_of`, :func:`lab.train.load_parts` and
            :func:`workers.training.start.first_network`.
    """

    def __init__(self, job: Job, settings: Settings, on_done: Callable[[int], None]) -> None:
        self._config = job.config
        self._settings = settings
        self._device = choose_device(settings.device)
        parts = parts_of(job.manifest, None, job.split)
        rows = read_manifest(job.manifest)
        self._test = tested(rows, chosen(splits_of(job.manifest, rows, None), [job.split])[0])
        self._calibrate = parts.calibrate
        architecture = job.config.architecture
        self._data = load_parts(parts, architecture, settings, on_done)
        # In the place of a train part, so that the test images are decoded in the same way.
        testing = replace(parts, train=self._test.rows, calibrate=[])
        decoded = load_parts(testing, architecture, settings, on_done)
        self._images = decoded.train.images
        torch.manual_seed(job.config.seed)
        self._start = first_network(job.config, self._data.train, self._device)

    def figures(self, loss: str, on_step: Callable[[], None]) -> Figures:
        """Measure what a loss leads to, or ``PLAIN`` or ``STARTED``."""
        if loss == PLAIN:
            return self._plain()
        learner = self._learner(self._config.loss if loss == STARTED else loss)
        for step in range(0 if loss == STARTED else self._config.steps):
            learner.step(step)
            on_step()
        calibrate = learner.embed(self._data.calibrate.images)
        return self._figures(calibrate, learner.embed(self._images))

    def _plain(self) -> Figures:
        """Measure the backbone as it comes, on images of its own size."""
        rows = [*self._calibrate, *self._test.rows]
        vectors = embed(None, rows, self._settings, lambda _: None).vectors
        return self._figures(*np.split(vectors, [len(self._calibrate)]))

    def _learner(self, loss: str) -> Learner:
        config = self._config.model_copy(update={"loss": loss})
        return Learner(config, self._data.train, self._device, deepcopy(self._start))

    def _figures(self, calibrate: Vectors, test: Vectors) -> Figures:
        labels = np.array([row.label for row in self._test.rows], dtype=np.str_)
        tpirs, ranks = {}, {}
        for name, trial in self._test.trials.items():
            near = distances(test[trial.probes], test[trial.gallery])
            found = identify(near, labels[trial.gallery], labels[trial.probes])
            tpirs[name], ranks[name] = tpir_at_fpir(found, FPIR).tpir, rank1(found)
        return Figures(calibrate_tpir(calibrate, self._data.calibrate), tpirs, ranks)
