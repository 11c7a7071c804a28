"""Conditionings made by hand: light by day and by night moves all embeddings."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from recognition.background import Encoder
from recognition.calibration import Calibration
from recognition.clusters import Clusters, everything, fit_clusters
from recognition.conditioning import Cohort, Conditioning, Impostors, place
from recognition.statistics import fit_statistics
from recognition.variable import Kind, Variable
from schemas.conditioning import Activation, ArtefactRef, PreviousArtefact
from streams.conditioning.artefact import Artefact, load_artefact, save_artefact
from tests.gallery_entries import MODEL

Change = Callable[[Conditioning], Conditioning]

CALIBRATION = Calibration(1, np.array([-1.0, 0.0]), np.array([0.1, 0.9]))
DAY, NIGHT = {"light": "day"}, {"light": "night"}
ENCODER = Encoder((Variable("light", Kind.NOMINAL, ("day", "night")),))
AT = datetime(2025, 5, 1, tzinfo=UTC)


def conditioning(
    dimension: int = 8, *, k: int = 2, seed: int = 0, bare: bool = False
) -> Conditioning:
    """Return one of k = 1 or 2 clusters, fitted on noise with 40 identities as impostors.

    Of two clusters c0 is day and c1 night.

    ``bare``: without statistics and cohort.
    """
    rng = np.random.default_rng(seed)
    backgrounds = [DAY] * 70 + [NIGHT] * 50
    clusters: Clusters = (
        everything(120, ENCODER) if k == 1 else fit_clusters(ENCODER, backgrounds, 2)
    )
    assigned = clusters.assign(backgrounds).cluster
    embeddings = rng.normal(size=(120, dimension)).astype(np.float32)
    embeddings[assigned == 0, 0] += 0.5
    statistics = None if bare else fit_statistics(embeddings, assigned, k)
    cohort = None
    if not bare:
        cohort = Cohort(place(embeddings, assigned, statistics, None).vectors)
    strangers = rng.normal(size=(120, dimension)).astype(np.float32)
    placed = place(strangers, assigned, statistics, cohort)
    levels = np.ones((k, k)) if bare else 1 + 0.1 * rng.random((k, k))
    owners = np.array([f"stranger-{i % 40}" for i in range(120)])
    return Conditioning(clusters, statistics, cohort, levels, Impostors(placed, owners))


def saved(folder: Path, made: Conditioning | None = None, **changes: Any) -> Artefact:
    """Save a conditioning for ``MODEL``, and return it as it is read."""
    values: dict[str, Any] = {"name": "light", "model": MODEL, "fpir": 0.05, "about": {}}
    return save_artefact(
        folder, **{**values, "conditioning": conditioning() if made is None else made, **changes}
    )


def activation(folder: Path | None, previous: ArtefactRef | None = None) -> Activation:
    """Return the record that asks for the artefact in a folder; without one, for none."""
    values: dict[str, Any] = {"version": None, "uri": None, "model": None}
    if folder is not None:
        artefact = load_artefact(folder)
        values = {"version": artefact.version, "uri": folder.as_uri(), "model": artefact.model}
    return Activation(
        name="light", activated_at=AT, actor="ann", previous=PreviousArtefact.of(previous), **values
    )
