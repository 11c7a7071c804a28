"""What is asked of a simulation, and its frames: labelled images in their order, embedded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cv2
import numpy as np
from rich.progress import Progress

from lab.images.backgrounds import backgrounds_of
from lab.images.embed import embed
from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import chosen, splits_of
from lab.simulate.timeline import arrivals, timeline, untimed
from recognition.protocol import Part
from schemas.background import declaration_of
from schemas.embedding import Embedding
from schemas.errors import BadInput, SetupError
from schemas.event import event_name
from schemas.settings import Settings
from workers.images.decode import Limits, Pixels, decode

_SOURCE = "simulation"
KEPT: Final = (0.45, 0.7)
"""The share of width and height that an off-centre crop keeps."""

BLUR: Final = (0.02, 0.05)
"""The deviation of the blur, as a share of the shorter side."""


def degrade_images(
    rows: Sequence[ManifestRow], share: float, seed: int, folder: Path, settings: Settings
) -> list[ManifestRow]:
    """Return the rows, a random ``share`` of them with poor images, which lie in ``folder``.

    Half of the poor ones are cropped off their centre, the others blurred. An image that cannot be
    read stays as it is. The same seed gives the same images; with a larger share, more of them.
    """
    draws = np.random.default_rng([seed, 1]).random(len(rows))
    limits = Limits.of(settings)
    images: list[ManifestRow] = []
    for number, row in enumerate(rows):
        path = folder / f"{number}.png"
        degraded = draws[number] < share and _degrade(row.path, path, limits, [seed, 1, number])
        images.append(replace(row, path=path) if degraded else row)
    return images


def degrade_image(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an (h, w, 3) image cropped off its centre, or blurred."""
    height, width = image.shape[:2]
    if rng.random() < 0.5:
        deviation = rng.uniform(*BLUR) * min(height, width)
        return np.asarray(cv2.GaussianBlur(image, (0, 0), max(deviation, 0.5)), np.uint8)
    rows, columns = _window(height, rng), _window(width, rng)
    return image[rows, columns]


def _window(length: int, rng: np.random.Generator) -> slice:
    """Return a part of a side that begins or ends where the side does."""
    kept = max(1, round(rng.uniform(*KEPT) * length))
    return slice(0, kept) if rng.random() < 0.5 else slice(length - kept, length)


def _degrade(source: Path, target: Path, limits: Limits, seed: Sequence[int]) -> bool:
    try:
        image = decode(source.read_bytes(), limits)
    except (BadInput, OSError):
        return False
    degraded = degrade_image(image, np.random.default_rng(seed))
    return cv2.imwrite(str(target), cv2.cvtColor(degraded, cv2.COLOR_RGB2BGR))


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """What is asked of a simulation.

    Attributes:
        splits: a splits file; None takes the one beside the manifest, or makes splits.
        split: whose test part comes; None for all labelled images.
        model: a model folder, ``plain``, or a path with ``{split}`` in it.
        conditionings: folders of artefacts, or ``none``; likewise.
        mad: whether retention takes outliers out.
        include: whether identified embeddings are enrolled.
        wrong: shares of the answers that are wrong.
        poor: share of the images that are cropped or blurred.
        delay: how many frames pass before an answer is there.
        fpir: the FPIR asked for; None takes that of the conditionings, else the settings'.
    """

    manifest: Path
    splits: Path | None
    split: int | None
    model: str
    conditionings: Sequence[str]
    mad: Sequence[bool]
    include: Sequence[bool]
    wrong: Sequence[float]
    poor: float
    delay: int
    fpir: float | None
    limit: int | None
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """The frames (n).

    Attributes:
        embeddings: in the order in which they come.
        labels: of each, by its id, in the same order.
        timed: how many have a time, or a moment of their date.
        dated: how many have no time, but a date.
        undated: how many have neither.
        refused: why an image was left out, by its path.
    """

    embeddings: Sequence[Embedding]
    labels: Mapping[str, str]
    timed: int
    dated: int
    undated: int
    refused: Mapping[str, str]

    @property
    def model(self) -> str:
        """The version of the model that embedded."""
        return self.embeddings[0].model


def frames(
    request: SimulationRequest, folder: Path | None, settings: Settings, bar: Progress
) -> Frames:
    """Embed the images that are asked for with a model folder, None being plain."""
    rows = _rows(request)
    moments = timeline(rows, request.seed)[: request.limit]
    came = arrivals(moments)
    rows = [rows[moment.row] for moment in moments]
    declaration = declaration_of(settings)
    backgrounds = backgrounds_of(rows, declaration)
    task = bar.add_task("embedding", total=len(rows))
    with TemporaryDirectory(prefix="perennial-") as scratch:
        images = degrade_images(rows, request.poor, request.seed, Path(scratch), settings)
        embedded = embed(folder, images, settings, lambda count: bar.advance(task, count))
    sound = embedded.sound.tolist()
    if not sound:
        raise SetupError(f"{request.manifest}: none of the images can be embedded")
    embeddings = [
        Embedding(
            event_id=_name(rows[at]),
            source=_source(rows[at]),
            captured_at=came[at],
            background=backgrounds[at],
            region=None,
            vector=embedded.vectors[at],
            model=embedded.model,
            timings_ms={},
        )
        for at in sound
    ]
    labels = {_name(rows[at]): rows[at].label or "" for at in sound}
    timed = sum(moments[at].instant is not None for at in sound)
    return Frames(embeddings, labels, timed, *untimed(rows), embedded.refused)


def _source(row: ManifestRow) -> str:
    return _SOURCE if row.source is None else row.source


def _name(row: ManifestRow) -> str:
    return event_name(_source(row), row.id)


def _rows(request: SimulationRequest) -> list[ManifestRow]:
    rows = read_manifest(request.manifest)
    used: Sequence[int] = range(len(rows))
    if request.split is not None:
        splits = splits_of(request.manifest, rows, request.splits)
        (split,) = chosen(splits, [request.split])
        used = split.images(Part.TEST).tolist()
    labelled = [rows[at] for at in used if rows[at].label is not None]
    if not labelled:
        raise SetupError(f"{request.manifest}: no image has a label, so nobody can answer")
    return list(
        {_name(row): row for row in labelled}.values()
    )  # a path that is repeated is one frame
