"""From the images of a manifest to a conditioning."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress

from lab.fit.figures import report_on
from lab.fit.fitting import FitResult, fit_conditioning, steps
from lab.fit.report import FitReport, Origin, SampleSize
from lab.images.embed import embed_with
from lab.images.groups import backgrounds_of
from lab.images.manifest import read_manifest
from lab.images.samples import FitSamples, check, images_of, samples
from lab.images.splits import splits_of, the_split
from lab.images.variables import fit_variables, fit_what_varies
from recognition.fit import Sample
from recognition.variable import Variable
from schemas.background import load_declaration
from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What is asked.

    Attributes:
        manifest: the images.
        splits: a splits file; None takes the one beside the manifest, or makes splits.
        split: its train and calibrate parts are used; None for the first.
        model: a model folder, ``plain``, or a path with ``{split}`` in it.
        by: the variables that may make clusters; None for each that can, which may be none.
        fpir: the share of strangers' images that may be accepted.
    """

    manifest: Path
    splits: Path | None
    split: int | None
    model: str
    by: Sequence[str] | None
    fpir: float


def run(request: FitRequest, settings: Settings, bar: Progress) -> tuple[FitReport, FitResult]:
    """Fit a conditioning, and report on it.

    Raises:
        SetupError: naming what is missing or wrong, and what would be right.
        DependencyDown: the model stopped giving embeddings.
    """
    rows = read_manifest(request.manifest)
    splits = splits_of(request.manifest, rows, request.splits)
    split = the_split(splits, request.split)
    images = images_of(split)
    check(rows, split, images)
    declaration = None if settings.variables is None else load_declaration(settings.variables)
    backgrounds = backgrounds_of([rows[i] for i in images], declaration)
    fit_each = fit_what_varies if request.by is None else fit_variables
    fit_each(backgrounds, request.by, declaration)  # what is wrong is said before embedding
    embedded = embed_with(request.model, split, [rows[i] for i in images], settings, bar)
    sound = embedded.sound
    backgrounds = [backgrounds[i] for i in sound]
    divided = samples(rows, split, images[sound], embedded.vectors[sound], backgrounds)
    variables, left_out = fit_each(backgrounds, request.by, declaration)
    result = _fit(divided, variables, request.fpir, bar)
    origin = Origin(
        data=request.manifest.resolve().parent.name,
        made_at=datetime.now(UTC),
        model=embedded.model,
        split=split.number,
        fpir=request.fpir,
        seen=_parts(divided.seen),
        held_out=_parts(divided.held_out),
        refused=embedded.refused,
        left_out=left_out,
    )
    return report_on(result, origin), result


def _fit(
    divided: FitSamples, variables: Sequence[Variable], fpir: float, bar: Progress
) -> FitResult:
    task = bar.add_task("fitting", total=steps(variables))

    def step(words: str) -> None:
        bar.update(task, description=words, advance=1)

    return fit_conditioning(divided.seen, divided.held_out, variables, fpir, step)


def _parts(sample: Sample) -> SampleSize:
    return SampleSize(
        images=len(sample.identities), identities=len(set(sample.identities.tolist()))
    )
