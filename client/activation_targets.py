"""What somebody wants to be active: an artefact, what was active before, or nothing."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from client.activation import Present, Rollout
from schemas.conditioning import ArtefactRef
from schemas.embedding import Embedding
from schemas.errors import SetupError
from schemas.gallery import GalleryEntry
from streams.conditioning.artefact import Artefact, load_artefact

PLAIN = "plain"


def active_of(folder: Path) -> tuple[Artefact, ArtefactRef]:
    """Load the artefact in a folder, and say how the index would name it.

    Raises:
        SetupError: there is none that can be read.
    """
    artefact = load_artefact(folder)
    return artefact, artefact.at(folder.resolve().as_uri())


def to_plain(present: Present) -> Rollout:
    """Switch conditioning off."""
    name = PLAIN if present.active is None else present.active.name
    return Rollout(name, None, present.active)


def to_artefact(active: ArtefactRef, present: Present) -> Rollout:
    """Switch to an artefact; back leads to what is active now."""
    return Rollout(active.name, active, present.active)


def back(present: Present) -> Rollout:
    """Switch to what was there before the last record; back again leads to that record's.

    Raises:
        SetupError: nothing was ever asked for, or the artefact is no longer what it was.
    """
    asked = present.asked
    if asked is None:
        raise SetupError("nothing was ever activated, so there is nothing to go back to")
    before = asked.artefact_before
    if before is None:
        return Rollout(asked.name, None, asked.artefact)
    artefact = load_artefact(before.uri)
    if (artefact.version, artefact.model) != (before.version, before.model):
        raise SetupError(
            f"{before.uri} held version {before.version} and now holds {artefact.version}: "
            "`perennial activate DIR` with another folder, or `perennial activate --plain`"
        )
    active = before.model_copy(update={"name": artefact.name})
    return Rollout(artefact.name, active, asked.artefact)


def check(artefact: Artefact, entries: Iterable[GalleryEntry], probes: Iterable[Embedding]) -> None:
    """Check that the artefact is for embeddings that there are.

    Where there are none at all, nothing speaks against it.

    Raises:
        SetupError: its model is neither in the gallery nor among recent embeddings, or it is for
            vectors of another size.
    """
    sizes: dict[str, int] = {entry.model: entry.vector.size for entry in entries}
    seen: Mapping[str, int] = {probe.model: probe.vector.size for probe in probes} | sizes
    size = seen.get(artefact.model)
    about = f"conditioning {artefact.name} {artefact.version} is for"
    if seen and size is None:
        raise SetupError(
            f"{about} model {artefact.model}, but the gallery and recent embeddings have "
            f"{', '.join(sorted(seen))}: `perennial fit` one for that model, or let the workers "
            "use the model that this one is for (PERENNIAL_MODEL)"
        )
    if size not in (None, artefact.dimension):
        raise SetupError(
            f"{about} vectors of {artefact.dimension} numbers, but those of {artefact.model} have "
            f"{size}: `perennial fit` it again"
        )
