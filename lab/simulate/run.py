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
from lab.simulate.frames import Frames, SimulationRequest, frames
from lab.simulate.oracle import Oracle
from lab.simulate.report import SimulationReport, SystemReport, notes
from lab.simulate.summary import summarise, window_of
from lab.simulate.system import System, simulate
from lab.simulate.variants import (
    SystemVariant,
    activatable,
    check_model,
    fpir_of,
    grid,
    load_artefacts,
    names,
)
from schemas.settings import Settings


def run(request: SimulationRequest, settings: Settings, bar: Progress) -> SimulationReport:
    """Simulate every variant on the same frames, and report on them.

    Raises:
        BadInput: an image has a path or background that no frame may have.
    """
    folders = [of_split(folder, request.split) for folder in request.conditionings]
    artefacts = load_artefacts(folders)
    fpir = fpir_of(artefacts) if request.fpir is None else request.fpir
    if fpir is not None:
        settings = settings.model_copy(update={"target_fpir": fpir})
    folder = model_folder(of_split(request.model, request.split))
    check_model(artefacts, version_of(folder, settings))
    seen = frames(request, folder, settings, bar)
    with _quietly(), TemporaryDirectory(prefix="perennial-") as scratch:
        chosen = activatable(artefacts, settings.target_fpir, Path(scratch))
        variants = grid(chosen, request.mad, request.include, request.wrong)
        task = bar.add_task("simulating", total=len(variants) * len(seen.embeddings))
        reports = [
            _simulate(name, variant, request, seen, settings, lambda: bar.advance(task))
            for name, variant in zip(names([v.parts for v in variants]), variants, strict=True)
        ]
    return SimulationReport(
        data=request.manifest.resolve().parent.name,
        made_at=datetime.now(UTC),
        model=seen.model,
        split=request.split,
        frames=len(seen.embeddings),
        timed=seen.timed,
        identities=len(set(seen.labels.values())),
        fpir=settings.target_fpir,
        delay=request.delay,
        poor=request.poor,
        seed=request.seed,
        window=window_of(len(seen.embeddings)),
        notes=notes(seen, settings),
        refused=seen.refused,
        variants=tuple(reports),
    )


def _simulate(
    name: str,
    variant: SystemVariant,
    request: SimulationRequest,
    seen: Frames,
    settings: Settings,
    on_frame: Callable[[], None],
) -> SystemReport:
    own = settings.model_copy(update={"include": variant.include})
    system = System(own, mad=variant.mad, active=variant.conditioning.active)
    oracle = Oracle(seen.labels, wrong=variant.wrong, delay=request.delay, seed=request.seed)
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
