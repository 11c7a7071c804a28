"""Looking at the background variables of a manifest, from images to findings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress

from lab.images.embed import embed_with
from lab.images.groups import backgrounds_of
from lab.images.manifest import ManifestRow, read_manifest
from lab.images.samples import images_of
from lab.images.splits import splits_of, the_split
from lab.images.variables import fit_variables
from lab.saliency.report import SaliencyReport, VariableReport
from recognition.distance import FloatArray
from recognition.saliency import GainOf, rank, saliency
from recognition.variable import Variable
from schemas.background import load_declaration
from schemas.event import Background
from schemas.settings import Settings

Gains = Callable[[FloatArray, Sequence[str]], GainOf]
"""Takes embeddings (n, d) and their labels; gives what measures the gain of a clustering."""


@dataclass(frozen=True, slots=True)
class SaliencyRequest:
    """What is asked.

    Attributes:
        manifest: the images.
        splits: a splits file; None takes the one beside the manifest, or makes splits.
        split: its train and calibrate parts are looked at; None for the first.
        model: a model folder, ``plain``, or a path with ``{split}`` in it.
        by: the variables; None for each that can be.
        permutations: shuffles behind a p-value.
    """

    manifest: Path
    splits: Path | None
    split: int | None
    model: str
    by: Sequence[str] | None
    permutations: int


@dataclass(frozen=True, slots=True, eq=False)
class SaliencyResult:
    """The report, and the images (n) behind it: ``embeddings`` (n, d) and ``backgrounds``."""

    report: SaliencyReport
    rows: Sequence[ManifestRow]
    labels: Sequence[str]
    backgrounds: Sequence[Background]
    embeddings: FloatArray
    variables: Sequence[Variable]


def run(
    request: SaliencyRequest, settings: Settings, bar: Progress, gains: Gains | None = None
) -> SaliencyResult:
    """Rank the background variables.

    Raises:
        SetupError: naming what is missing or wrong, and what would be right.
        DependencyDown: the model stopped giving embeddings.
    """
    rows = read_manifest(request.manifest)
    splits = splits_of(request.manifest, rows, request.splits)
    split = the_split(splits, request.split)
    used = [rows[i] for i in images_of(split)]
    declaration = None if settings.variables is None else load_declaration(settings.variables)
    fit_variables(backgrounds_of(used, declaration), request.by, declaration)  # before embedding
    embedded = embed_with(request.model, split, used, settings, bar)
    sound = embedded.sound
    used = [used[i] for i in sound]
    backgrounds, embeddings = backgrounds_of(used, declaration), embedded.vectors[sound]
    labels = ["" if row.label is None else row.label for row in used]
    variables, left_out = fit_variables(backgrounds, request.by, declaration)
    gain = None if gains is None else gains(embeddings, labels)
    findings = [
        saliency(
            embeddings,
            labels,
            variable,
            [background.get(variable.name) for background in backgrounds],
            gain=gain,
            permutations=request.permutations,
        )
        for variable in bar.track(variables, description="looking at variables")
    ]
    report = SaliencyReport(
        data=request.manifest.resolve().parent.name,
        made_at=datetime.now(UTC),
        model=embedded.model,
        split=split.number,
        images=len(used),
        identities=len(set(labels)),
        permutations=request.permutations,
        refused=embedded.refused,
        left_out=left_out,
        variables=tuple(VariableReport.of(finding) for finding in rank(findings)),
    )
    return SaliencyResult(report, used, labels, backgrounds, embeddings, variables)
