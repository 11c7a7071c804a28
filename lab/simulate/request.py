"""What is asked of a simulation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


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
