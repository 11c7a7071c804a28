"""What is asked of a simulation, and its frames: labelled images in time order, embedded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import Progress

from lab.images.backgrounds import backgrounds_of
from lab.images.embed import embed
from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import chosen, splits_of
from lab.simulate.poor import degrade_images
from lab.simulate.timeline import timeline, untimed
from recognition.protocol import Part
from schemas.background import declaration_of
from schemas.embedding import Embedding
from schemas.errors import SetupError
from schemas.event import event_name
from schemas.settings import Settings

_SOURCE = "simulation"


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """What is asked of a simulation.

    Attributes:
        manifest: the images.
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
        limit: only the first so many images.
        seed: of all that is drawn.
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
        embeddings: in time order.
        labels: of each, by its id, in the same order.
        dated: how many have no time, but a date.
        undated: how many have neither.
        refused: why an image was left out, by its path.
    """

    embeddings: Sequence[Embedding]
    labels: Mapping[str, str]
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
    """Embed the images that are asked for with a model folder, None being plain.

    Raises:
        SetupError: naming what is missing or wrong, and what would be right.
        DependencyDown: the model stopped giving embeddings.
    """
    rows = _rows(request)
    moments = timeline(rows, request.seed)[: request.limit]
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
            captured_at=moments[at].instant,
            background=backgrounds[at],
            region=None,
            vector=embedded.vectors[at],
            model=embedded.model,
            timings_ms={},
        )
        for at in sound
    ]
    labels = {_name(rows[at]): rows[at].label or "" for at in sound}
    return Frames(embeddings, labels, *untimed(rows), embedded.refused)


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
