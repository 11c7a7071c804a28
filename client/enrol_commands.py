"""Turns labelled images into enrol commands: decoded, embedded, their background completed."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from client.outgoing import Outgoing
from schemas.background import declaration_of, undeclared
from schemas.errors import BadInput
from schemas.event import Background, now
from schemas.gallery import Enrol, GalleryCommand
from schemas.settings import Settings
from workers.images.decode import Limits, decode, fit
from workers.model.forward import unit
from workers.model.model import load_model


class EnrolCommands:
    """Makes enrol commands of images as a worker would embed them.

    Slow: call it in a thread. Raises ``SetupError`` when the model cannot be loaded.
    """

    def __init__(self, settings: Settings, actor: str, reason: str) -> None:
        self._actor = actor
        self._reason = reason
        self._model = load_model(settings)
        self._limits = Limits(settings.max_image_bytes, settings.max_image_pixels)
        self._decode_threads = settings.decode_threads
        self._complete = _completion(settings)

    def of(self, frames: Sequence[Outgoing], refused: dict[str, str]) -> dict[str, GalleryCommand]:
        """Return a command per event name; note in ``refused`` why a path has none."""
        images: list[NDArray[np.uint8]] = []
        drafts: list[tuple[Outgoing, Background]] = []
        with ThreadPoolExecutor(self._decode_threads) as pool:
            for frame, prepared in zip(frames, pool.map(self._prepare, frames), strict=True):
                if isinstance(prepared, str):
                    refused[frame.given_id] = prepared
                else:
                    images.append(prepared[0])
                    drafts.append((frame, prepared[1]))
        if not images:
            return {}
        vectors = self._model.embed(np.stack(images))
        commands = {}
        for (frame, background), vector, sound in zip(drafts, vectors, unit(vectors), strict=True):
            if sound:
                commands[frame.name] = self._command(frame, background, vector)
            else:
                refused[frame.given_id] = "the model gives no unit vector for it"
        return commands

    def _prepare(self, frame: Outgoing) -> tuple[NDArray[np.uint8], Background] | str:
        if frame.label is None:
            return "it has no label"
        try:
            size = self._model.input_size
            image = fit(decode(frame.load(), self._limits, at_least=max(size)), size)
            return image, self._complete(frame)
        except (BadInput, OSError) as error:
            return str(error)

    def _command(
        self, frame: Outgoing, background: Background, vector: NDArray[np.float32]
    ) -> GalleryCommand:
        action = Enrol(
            entry_id=frame.name,
            model=self._model.version,
            background=background,
            source=frame.source,
            captured_at=frame.captured_at or now(),
            vector=vector,
        )
        return GalleryCommand(
            command_id=f"enrol-{frame.name}",
            identity=frame.label or "",
            actor=self._actor,
            reason=self._reason,
            action=action,
        )


def _completion(settings: Settings) -> Callable[[Outgoing], Background]:
    """Return what checks a background and adds what follows from time and place."""
    declaration = declaration_of(settings)
    if declaration is None:
        return lambda frame: undeclared(frame.background)
    return lambda frame: declaration.complete(frame.background, frame.captured_at or now())
