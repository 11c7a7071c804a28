"""The peer trained on a split, and its embeddings of what that split tests with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer_training.budget import Budget
from benchmarks.peer_training.loop import Trained, embed, train_peer
from lab.images.manifest import ManifestRow
from lab.train import load_parts, parts_of
from recognition.distance import FloatArray
from recognition.protocol import Part, Split
from schemas.settings import Settings
from workers.model.model import choose_device
from workers.model.network import Architecture


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """The peer on one split.

    Attributes:
        size: height and width of its input.
        embeddings: (n, d) of all n rows, NaN where the split neither calibrates nor tests.
    """

    split: int
    size: tuple[int, int]
    trained: Trained
    embeddings: FloatArray

    def told(self) -> dict[str, Any]:
        """Return how it was trained, for JSON."""
        trained = self.trained
        return {
            "split": self.split,
            "size": f"{self.size[0]}x{self.size[1]}",
            "seconds": round(trained.seconds, 1),
            "steps": trained.steps,
            "best_step": trained.best.step,
            "calibrate_tpir": round(trained.best.tpir, 4),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Race:
    """What is the same on all splits and for all sizes."""

    manifest: Path
    rows: Sequence[ManifestRow]
    settings: Settings
    dimension: int
    seed: int

    def enter(
        self, split: Split, size: tuple[int, int], budget: Budget, on_step: Callable[[], None]
    ) -> Entrant:
        """Decode the images, train the peer and embed what the split calibrates and tests with."""
        device = choose_device(self.settings.device)
        asked = split.images(Part.CALIBRATE, Part.TEST)
        parts = parts_of(self.manifest, None, split.number)
        architecture = Architecture(input_size=size)
        data, tested = (
            load_parts(some, architecture, self.settings, lambda _: None)
            for some in (parts, replace(parts, train=[self.rows[i] for i in asked], calibrate=[]))
        )
        trained = train_peer(
            data, budget, device, dimension=self.dimension, seed=self.seed, on_step=on_step
        )
        vectors = embed(trained.peer, tested.train.images, device)
        embeddings = np.full((len(self.rows), vectors.shape[1]), np.nan, dtype=np.float32)
        embeddings[asked] = vectors
        return Entrant(split.number, size, trained, embeddings)
