"""The images of a run, decoded once and held in memory as the network takes them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor

from recognition.trials import resampled_tpir
from recognition.variable import text_of
from schemas.errors import BadInput, SetupError
from schemas.event import Scalar
from schemas.variables import Variable as VariableType
from workers.images.decode import Limits, prepare
from workers.model.photometric import grey
from workers.training.variables import present

FPIR = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Labelled images.

    Attributes:
        images: (n, c, h, w) uint8; one channel for a network that sees no colour.
        labels: n identities.
        sessions: n names of when an image was taken; near-duplicates share one.
        backgrounds: n mappings of background variables.
        declared: the types of those variables that a deployment declares.
    """

    images: Tensor
    labels: tuple[str, ...]
    sessions: tuple[str, ...]
    backgrounds: tuple[Mapping[str, Scalar], ...]
    declared: Mapping[str, VariableType] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def classes(self) -> list[str]:
        """The identities, in the order of their numbers."""
        return sorted(set(self.labels))

    def numbers(self) -> NDArray[np.int64]:
        """Return (n,) the number of each image's identity."""
        return np.unique(self.labels, return_inverse=True)[1].astype(np.int64)

    def groups(self, variables: Sequence[str]) -> NDArray[np.int64] | None:
        """Return (n,) the number of each image's combination of values, or None without any.

        Raises:
            SetupError: a variable that no image has.
        """
        if not variables:
            return None
        for name in variables:
            if not any(present(background.get(name)) for background in self.backgrounds):
                raise SetupError(f"background {name}: the train images have no value to group by")
        names = [str([text_of(b.get(name)) for name in variables]) for b in self.backgrounds]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """The two parts of a run: identities to learn from, and others to choose by.

    ``source`` says where they come from; it goes into the model card.
    """

    train: Samples
    calibrate: Samples
    source: Mapping[str, JsonValue] = field(default_factory=dict)


def load_images(
    paths: Sequence[Path],
    size: tuple[int, int],
    limits: Limits,
    *,
    colour: bool,
    on_done: Callable[[int], None] | None = None,
) -> Tensor:
    """Decode images into (n, 3, h, w) uint8, or (n, 1, h, w) luminance without colour."""
    images = torch.empty((len(paths), 3 if colour else 1, *size), dtype=torch.uint8)

    def load(number: int, path: Path) -> None:
        try:
            pixels = prepare(path.read_bytes(), (), limits, size)[0]
        except (OSError, BadInput) as error:
            raise SetupError(f"{path}: {error}") from error
        image = torch.from_numpy(pixels).permute(2, 0, 1)
        images[number] = image if colour else grey(image[None])[0].round()

    with ThreadPoolExecutor() as pool:
        for _ in pool.map(load, range(len(paths)), paths):
            if on_done is not None:
                on_done(1)
    return images


def calibrate_tpir(embeddings: NDArray[np.float32], samples: Samples) -> float:
    """Return the mean TPIR at FPIR 5 % over random trials among the calibrate identities.

    Raises:
        SetupError: embeddings that are not finite, or too few identities to draw trials of.
    """
    if not np.isfinite(embeddings).all():
        raise SetupError(
            "the weights have diverged: the network gives no finite embeddings of the calibrate "
            "part; lower backbone_rate and head_rate, or clip"
        )
    try:
        return resampled_tpir(embeddings, samples.labels, fpir=FPIR, sessions=samples.sessions)
    except ValueError as error:
        raise SetupError(f"calibrate part: {error}") from error


@dataclass
class Best:
    """The best evaluation on the calibrate part so far.

    Attributes:
        tpir: what it showed; -1 before the first.
        step: after how many steps it was.
        worse: how many evaluations since then.
    """

    tpir: float = -1.0
    step: int = 0
    worse: int = 0

    def better(self, tpir: float, step: int) -> bool:
        """Record an evaluation; return whether it is the best so far."""
        if tpir > self.tpir:
            self.tpir, self.step, self.worse = tpir, step, 0
            return True
        self.worse += 1
        return False
