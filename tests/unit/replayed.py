"""Galleries and probes to replay: identities on axes, some day, some night."""

from pathlib import Path
from typing import Any

import numpy as np

from client.activation import active_of
from client.gallery import Gallery
from client.recent import Material, People, PersonAnswer, Probes
from schemas.conditioning import ArtefactRef
from schemas.embedding import Embedding
from schemas.gallery import GalleryEntry
from schemas.settings import Settings
from tests.conditionings import DAY, NIGHT, conditioning, saved
from tests.gallery_entries import entry, unit
from tests.services.kafka import embedding

SIZE, IDENTITIES = 16, 20
SETTINGS = Settings(target_fpir=0.05, shard_by=("light",))
NOBODY = People(frozenset(), {})


def centre(number: int) -> np.ndarray:
    """Return where an identity lies."""
    return np.asarray(np.random.default_rng(number).normal(size=SIZE))


def look(number: int, spread: float = 0.1, seed: int = 0) -> np.ndarray:
    """Return one look of an identity."""
    noise = np.random.default_rng((number, seed)).normal(size=SIZE)
    return unit(centre(number) + spread * noise)


def light(number: int) -> dict[str, Any]:
    return dict(NIGHT if number % 2 else DAY)


def entries(count: int = IDENTITIES, each: int = 2) -> list[GalleryEntry]:
    return [
        entry(f"e{i}.{n}", f"id{i}", look(i, seed=n), background=light(n))
        for i in range(count)
        for n in range(each)
    ]


def probes(count: int = IDENTITIES, step: float = 0.1) -> list[Embedding]:
    """Return one probe of each identity, each farther off than the one before."""
    return [
        embedding(f"p{i}", look(i, step * i, seed=9), background=light(i)) for i in range(count)
    ]


def material(
    entered: list[GalleryEntry] | None = None,
    seen: list[Embedding] | None = None,
    people: People = NOBODY,
) -> Material:
    held = {e.entry_id: e for e in (entries() if entered is None else entered)}
    since = {e.identity: 0 for e in held.values()}
    return Material(Gallery(held, since), Probes(probes() if seen is None else seen, 0), people)


def active(folder: Path, **changes: Any) -> ArtefactRef:
    """Save a conditioning, and return how the index would name it."""
    saved(folder, conditioning(SIZE), **changes)
    return active_of(folder)[1]


def said(**identities: str) -> People:
    """Return that people were asked about these probes and gave these names, at offset 5."""
    return People(
        frozenset(identities), {i: PersonAnswer(name, 5) for i, name in identities.items()}
    )
