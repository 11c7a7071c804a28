"""Puts what cannot be processed on ``dead-letters``, whatever it takes: there is no other place."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from access.patience import TOO_LARGE, Patience
from schemas.dead_letter import at_lengths, dead_letter, size
from schemas.errors import BadInput, DependencyDown
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.topics import DEAD_LETTERS

_STAGE = "produce"
_log = logging.getLogger(__name__)


class SetAside:
    """Puts dead letters, as much of each as the broker and its client take.

    Args:
        put: puts a record on its topic; it may be called again with the same.
    """

    def __init__(
        self, runtime: Runtime, patience: Patience, put: Callable[[Record], Awaitable[Any]]
    ) -> None:
        self._topic = runtime.settings.topic(DEAD_LETTERS)
        self._metrics = runtime.metrics
        self._patience = patience
        self._put = put

    async def __call__(
        self, origin: Record, event: str | None, error: BadInput, stage: str, attempts: int
    ) -> None:
        """Put the dead letter of a record, however long that takes; see ``dead_letter``.

        Where all that the record brings along is refused, its headers and key are left out.
        """
        _log.info("%s: %s set aside: %s", stage, origin.position, error)
        self._metrics.outcomes.labels("dead", "", error.reason).inc()
        bare = replace(origin, key=None, headers=_id_of(origin))
        bare_error = BadInput(error.reason, f"{error} (headers and key left out)")
        *longer, shortest = (
            *self._letters(origin, error, stage, attempts, event),
            *self._letters(bare, bare_error, stage, attempts, event),
        )
        for letter in longer:
            try:
                await self._patience(_STAGE, partial(self._put, letter))
            except Exception as refused:  # noqa: BLE001  it is tried with less
                what = f"{size(letter)} bytes of dead letter"
                _log.warning("%s: %s refused: %r", origin.position, what, refused)
            else:
                return
        await self._patience(_STAGE, partial(self._insist, shortest), _is_anything)

    def _letters(
        self, origin: Record, error: BadInput, stage: str, attempts: int, event: str | None
    ) -> tuple[Record, ...]:
        try:
            letter = dead_letter(self._topic, origin, error, stage, attempts, event=event)
            return at_lengths(letter)
        except Exception:  # noqa: BLE001  then one with less
            _log.warning("%s makes no dead letter", origin.position, exc_info=True)
            return ()

    async def _insist(self, letter: Record) -> None:
        try:
            await self._put(letter)
        except TOO_LARGE as error:
            why = f"refuses {size(letter)} bytes of dead letter; raise its max.message.bytes"
            raise DependencyDown("kafka", why) from error


def _id_of(origin: Record) -> tuple[tuple[str, bytes], ...]:
    return tuple(header for header in origin.headers if header[0] == "ce_id")


def _is_anything(error: BaseException) -> bool:
    return isinstance(error, Exception)
