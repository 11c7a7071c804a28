"""An evaluation of models on the images of a manifest, from start to end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from lab.evaluate.exam import Exam, VariantResult
from lab.evaluate.models import Models
from lab.evaluate.plots import bars, det, scores
from lab.evaluate.report import Evaluation
from lab.evaluate.summary import summarise
from lab.evaluate.words import markdown
from lab.images.backgrounds import backgrounds_of, groupings
from lab.images.manifest import read_manifest
from lab.images.splits import chosen, splits_of
from lab.shown.report import writing
from lab.shown.style import save
from recognition.paper_distances import Distance
from schemas.background import declaration_of
from schemas.choices import Views
from schemas.settings import Settings

_UNSAFE = re.compile(r"[^\w.-]")


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is asked of an evaluation.

    Attributes:
        splits: a splits file; None takes the one beside the manifest, or makes splits.
        numbers: the splits to use; None for all.
        models: model folders, ``plain``, or paths with ``{split}`` in them.
        distances: each is tried with each model.
        views: likewise.
        by: the variables to break down by; None for each of few values.
        fpirs: the shares of unknown probes that may be accepted.
    """

    manifest: Path
    splits: Path | None
    numbers: Sequence[int] | None
    models: Sequence[str]
    distances: Sequence[Distance]
    views: Sequence[Views]
    by: Sequence[str] | None
    fpirs: Sequence[float]
    draws: int


def run(
    request: EvaluationRequest, settings: Settings, bar: Progress
) -> tuple[Evaluation, list[VariantResult]]:
    """Return the report asked for, and what it was made of."""
    rows = read_manifest(request.manifest)
    splits = chosen(splits_of(request.manifest, rows, request.splits), request.numbers)
    models = Models(request.models, request.distances, splits, request.views)
    declaration = declaration_of(settings)
    exam = Exam(
        [row.label for row in rows],
        splits,
        by=groupings(backgrounds_of(rows, declaration), request.by, declaration),
        fpirs=request.fpirs,
        draws=request.draws,
    )
    embedding = bar.add_task("embedding", total=models.images)
    variants = models.variants(rows, settings, lambda count: bar.advance(embedding, count))
    scoring = bar.add_task("scoring", total=len(variants) * len(splits))
    assessed = [exam.assess(variant, lambda: bar.advance(scoring)) for variant in variants]
    evaluation = summarise(
        exam,
        assessed,
        data=request.manifest.resolve().parent.name,
        images=len(rows),
        refused=models.refused,
        embedders=models.embedders(rows),
    )
    return evaluation, assessed


def write(folder: Path, evaluation: Evaluation, assessed: Sequence[VariantResult]) -> None:
    """Write ``evaluation.json``, ``evaluation.md`` and the pictures; the folder is made."""
    fpir = evaluation.fpirs[-1]
    with writing(folder):
        (folder / "evaluation.json").write_text(
            evaluation.model_dump_json(indent=1), encoding="utf-8"
        )
        (folder / "evaluation.md").write_text(markdown(evaluation), encoding="utf-8")
        save(det(assessed, evaluation.fpirs), folder / "det.png")
        save(scores(assessed, fpir), folder / "scores.png")
        for variable in evaluation.variables:
            name = f"by_{_UNSAFE.sub('_', variable)}.png"
            save(bars(evaluation, variable, fpir), folder / name)
