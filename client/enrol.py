"""Enrols labelled images: embeds them here, and asks the gallery to hold them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from client.names import Outgoing
from client.producer import Producer, producer
from client.reader import Reader, reader
from schemas.background import Declaration, clock_of, declaration_of, undeclared
from schemas.errors import BadInput
from schemas.event import Background, now
from schemas.gallery import Enrol, GalleryCommand
from schemas.gallery_fold import GalleryFold
from schemas.settings import Settings
from schemas.topics import GALLERY, GALLERY_COMMANDS
from workers.images.decode import Limits
from workers.images.measured import Prepared, as_told, prepare_measured
from workers.model.forward import unit
from workers.model.model import load_model

_BATCH = 32
_LOOK_EVERY_S = 0.2

Progress = Callable[[int], None]
"""Hears how many more are done."""


class EnrolCommands:
    """Makes enrol commands of images as a worker would embed them.

    Slow: call it in a thread. Raises ``SetupError`` when the model cannot be loaded.
    """

    def __init__(self, settings: Settings, actor: str, reason: str) -> None:
        self._actor = actor
        self._reason = reason
        self._model = load_model(settings)
        self._limits = Limits.of(settings)
        self._decode_threads = settings.decode_threads
        declaration = declaration_of(settings)
        self._complete = _completion(declaration)
        self._clock = clock_of(declaration)

    def of(self, frames: Sequence[Outgoing], refused: dict[str, str]) -> dict[str, GalleryCommand]:
        """Return a command per event name; note in ``refused`` why a path has none."""
        drafts: list[_Draft] = []
        with ThreadPoolExecutor(self._decode_threads) as pool:
            for frame, prepared in zip(frames, pool.map(self._prepare, frames), strict=True):
                if isinstance(prepared, str):
                    refused[frame.given_id] = prepared
                else:
                    drafts.append(prepared)
        if not drafts:
            return {}
        vectors = self._model.embed(np.stack([draft.image.pixels for draft in drafts]))
        commands = {}
        for draft, vector, sound in zip(drafts, vectors, unit(vectors), strict=True):
            if sound:
                commands[draft.frame.name] = self._command(draft, vector)
            else:
                refused[draft.frame.given_id] = "the model gives no unit vector for it"
        return commands

    def _prepare(self, frame: Outgoing) -> "_Draft | str":
        if frame.label is None:
            return "it has no label"
        try:
            size = self._model.input_size
            content = frame.load()
            (image,) = prepare_measured(content, (), self._limits, size)
            captured_at = frame.taken(content, self._clock) or now()
            return _Draft(frame, image, self._complete(frame.background, captured_at), captured_at)
        except (BadInput, OSError) as error:
            return str(error)

    def _command(self, draft: "_Draft", vector: NDArray[np.float32]) -> GalleryCommand:
        frame = draft.frame
        action = Enrol(
            entry_id=frame.name,
            model=self._model.version,
            background=draft.background,
            source=frame.source,
            captured_at=draft.captured_at,
            vector=vector,
            quality=as_told(draft.image.quality),
        )
        return GalleryCommand(
            command_id=f"enrol-{frame.name}",
            identity=frame.label or "",
            actor=self._actor,
            reason=self._reason,
            action=action,
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    """An image that can be embedded, and what its entry will say of it."""

    frame: Outgoing
    image: Prepared
    background: Background
    captured_at: datetime


def _completion(declaration: Declaration | None) -> Callable[[Background, datetime], Background]:
    """Return what checks a background and adds what follows from time and place."""
    if declaration is None:
        return lambda background, _: undeclared(background)
    return declaration.complete


@dataclass(slots=True)
class Enrolment:
    """What became of the images.

    Attributes:
        held: ids that the gallery now holds under the label given.
        refused: why an image was not enrolled, by its path.
        missing: ids that were sent, and that the gallery does not hold yet.
    """

    held: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every image is in the gallery."""
        return not self.refused and not self.missing


async def enrol(
    settings: Settings,
    frames: Sequence[Outgoing],
    *,
    actor: str,
    reason: str,
    patience_s: float,
    on_sent: Progress,
    on_held: Progress,
) -> Enrolment:
    """Enrol ``frames`` under their labels and wait until the gallery holds them.

    Enrolling twice changes nothing. It gives up when the gallery takes nothing more for
    ``patience_s`` seconds.

    Raises:
        SetupError: the model cannot be loaded, or the topics do not exist.
    """
    done = Enrolment()
    wanted: dict[str, GalleryCommand] = {}
    async with (
        producer(settings, GALLERY_COMMANDS) as broker,
        reader(settings, GALLERY, from_beginning=True) as gallery,
    ):
        maker = await asyncio.to_thread(EnrolCommands, settings, actor, reason)
        for start in range(0, len(frames), _BATCH):
            batch = frames[start : start + _BATCH]
            commands = await asyncio.to_thread(maker.of, batch, done.refused)
            wanted |= commands
            await _send(broker, settings, commands)
            on_sent(len(batch))
        await _await_held(gallery, wanted, done, patience_s, on_held)
    return done


async def _send(broker: Producer, settings: Settings, commands: dict[str, GalleryCommand]) -> None:
    topic = settings.topic(GALLERY_COMMANDS)
    await asyncio.gather(*(broker.send(command.record(topic)) for command in commands.values()))


async def _await_held(
    gallery: Reader,
    wanted: dict[str, GalleryCommand],
    done: Enrolment,
    patience_s: float,
    on_held: Progress,
) -> None:
    fold = GalleryFold()
    missing = dict(wanted)
    heard = time.monotonic()
    while missing and time.monotonic() - heard < patience_s:
        for record in await gallery.batch(_LOOK_EVERY_S):
            fold.take(record)
        held = [i for i, command in missing.items() if _holds(fold, i, command)]
        for entry_id in held:
            del missing[entry_id]
        if held:
            on_held(len(held))
            done.held += held
            heard = time.monotonic()
    done.missing = list(missing)


def _holds(fold: GalleryFold, entry_id: str, command: GalleryCommand) -> bool:
    entry = fold.entries.get(entry_id)
    return (
        entry is not None
        and entry.identity == command.identity
        and isinstance(command.action, Enrol)
        and entry.model == command.action.model
    )
