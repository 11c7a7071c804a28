"""What is active, what somebody wants to be, and the change from one to the other."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from client.producer import producer
from client.reader import records_of
from schemas.conditioning import Activation, ArtefactRef, PreviousArtefact
from schemas.embedding import Embedding
from schemas.errors import DependencyDown, SetupError
from schemas.event import now
from schemas.gallery import GalleryEntry
from schemas.settings import Settings
from schemas.topics import CONDITIONING
from streams.conditioning.artefact import Artefact, load_artefact
from streams.index.base import GalleryState, Index
from streams.index.redis import redis_index
from streams.kafka.conditioning_topic import last_activation

LOOK_EVERY_S = 0.2
PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Present:
    """How the running system lies.

    Attributes:
        active: what the index lies by; None is plain.
        asked: what was asked for last.
        state: what the index says of itself.
    """

    active: ArtefactRef | None
    asked: Activation | None
    state: GalleryState | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is to be active (None is plain), and what can be returned to from there.

    ``name`` is that of the record: compaction keeps the last one of each name.
    """

    name: str
    active: ArtefactRef | None
    previous: ArtefactRef | None

    def changes(self, present: Present) -> bool:
        """Whether it is anything but what is active and asked for already."""
        asked = None if present.asked is None else present.asked.artefact
        return (present.active, asked) != (self.active, self.active)

    def record(self, actor: str) -> Activation:
        """Return the event that asks for it."""
        to = self.active
        return Activation(
            name=self.name,
            version=None if to is None else to.version,
            uri=None if to is None else to.uri,
            model=None if to is None else to.model,
            activated_at=now(),
            actor=actor,
            previous=PreviousArtefact.of(self.previous),
        )


async def present(settings: Settings) -> Present:
    """Read what is active, and what was asked for.

    Raises:
        DependencyDown: Redis or the broker does not answer, or the index was never written.
        SetupError: an address is not set, or the topic does not exist.
    """
    settings.need_kafka()
    async with redis_index(settings) as index:
        state = await index.state()
    if state is None:
        raise DependencyDown("gallery", "the index was never written: is `perennial streams` up?")
    asked = await last_activation(records_of(settings, CONDITIONING))
    return Present(state.conditioning, asked, state)


async def carry_out(settings: Settings, rollout: Rollout, actor: str, timeout_s: float) -> None:
    """Ask for the change, and wait until the index has it.

    Raises:
        DependencyDown: Redis or the broker does not answer, or it took too long.
    """
    record = rollout.record(actor)
    async with redis_index(settings) as index:
        async with producer(settings, CONDITIONING) as broker:
            await broker.send(record.record(settings.topic(CONDITIONING)))
        await await_active(index, rollout.active, timeout_s)


async def await_active(index: Index, wanted: ArtefactRef | None, timeout_s: float) -> None:
    """Wait until the index says that it lies by what is wanted.

    Raises:
        DependencyDown: Redis does not answer, or it took longer than ``timeout_s``.
    """
    give_up = time.monotonic() + timeout_s
    while True:
        state = await index.state()
        if state is not None and state.conditioning == wanted:
            return
        if time.monotonic() > give_up:
            readable = "" if wanted is None else f", and can it read {wanted.uri}"
            raise DependencyDown(
                "conditioning",
                f"asked for, but not active after {timeout_s:g} s: is `perennial streams` up"
                f"{readable}? Its log tells. It will still come; `perennial activate --back` takes "
                "it back",
            )
        await asyncio.sleep(LOOK_EVERY_S)


def words_of(active: ArtefactRef | None) -> str:
    """Return what people call it."""
    return "plain" if active is None else f"{active.name} {active.version}"


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
