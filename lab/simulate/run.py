"""A simulation from images to a report: every variant on the same frames."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import Progress

from lab.images.embed import model_folder, of_split, version_of
from lab.simulate.frames import Frames, frames
from lab.simulate.oracle import Oracle
from lab.simulate.question import Question
from lab.simulate.report import SimulationReport, VariantReport
from lab.simulate.summary import summarise, window_of
from lab.simulate.system import System, simulate
from lab.simulate.variants import (
    Variant,
    activatable,
    check_model,
    fpir_of,
    grid,
    load_artefacts,
    names,
)
from lab.simulate.words import notes
from schemas.settings import Settings


def run(question: Question, settings: Settings, bar: Progress) -> SimulationReport:
    """Answer the question.

    Raises:
        SetupError: naming what is missing or wrong, and what would be right.
        BadInput: an image has a path or background that no frame may have.
        DependencyDown: a model stopped giving embeddings.
    """
    folders = [of_split(folder, question.split) for folder in question.conditionings]
    artefacts = load_artefacts(folders)
    fpir = fpir_of(artefacts) if question.fpir is None else question.fpir
    if fpir is not None:
        settings = settings.model_copy(update={"target_fpir": fpir})
    folder = model_folder(of_split(question.model, question.split))
    check_model(artefacts, version_of(folder, settings))
    seen = frames(question, folder, settings, bar)
    with _quietly(), TemporaryDirectory(prefix="perennial-") as scratch:
        chosen = activatable(artefacts, settings.target_fpir, Path(scratch))
        variants = grid(chosen, question.mad, question.include, question.wrong)
        task = bar.add_task("simulating", total=len(variants) * len(seen.embeddings))
        reports = [
            _simulate(name, variant, question, seen, settings, lambda: bar.advance(task))
            for name, variant in zip(names([v.parts for v in variants]), variants, strict=True)
        ]
    return SimulationReport(
        data=question.manifest.resolve().parent.name,
        made_at=datetime.now(UTC),
        model=seen.model,
        split=question.split,
        frames=len(seen.embeddings),
        identities=len(set(seen.labels.values())),
        fpir=settings.target_fpir,
        delay=question.delay,
        poor=question.poor,
        seed=question.seed,
        window=window_of(len(seen.embeddings)),
        notes=notes(seen, settings),
        refused=seen.refused,
        variants=tuple(reports),
    )


def _simulate(
    name: str,
    variant: Variant,
    question: Question,
    seen: Frames,
    settings: Settings,
    on_frame: Callable[[], None],
) -> VariantReport:
    own = settings.model_copy(update={"include": variant.include})
    system = System(own, mad=variant.mad, active=variant.conditioning.active)
    oracle = Oracle(seen.labels, wrong=variant.wrong, delay=question.delay, seed=question.seed)
    labels = list(seen.labels.values())
    simulated = asyncio.run(simulate(system, oracle, seen.embeddings, labels, on_frame))
    return summarise(name, variant, simulated, seen.labels, settings.retention_mad)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the agents from telling, at every start, that they have one; not if asked in detail."""
    log = logging.getLogger("streams")
    before = log.level
    log.setLevel(before if before == logging.DEBUG else logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)
