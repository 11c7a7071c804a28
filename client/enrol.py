"""Enrols labelled images: embeds them here, and asks the gallery to hold them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from client.enrol_commands import EnrolCommands
from client.outgoing import Outgoing
from client.producer import Producer, producer
from client.reader import Reader, reader
from schemas.gallery import Enrol, GalleryCommand
from schemas.gallery_fold import GalleryFold
from schemas.settings import Settings
from schemas.topics import GALLERY, GALLERY_COMMANDS

_BATCH = 32
_LOOK_EVERY_S = 0.2

Progress = Callable[[int], None]
"""Hears how many more are done."""


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
        DependencyDown: the broker does not answer.
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
