"""How hard the graph of each shard is searched: EF_RUNTIME, as it was measured there."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from streams.index.reading import text_of

log = logging.getLogger(__name__)


class Effort(BaseModel):
    """What was measured of a shard.

    Attributes:
        entries: that it had then; at twice as many it is measured again.
        ef: the candidates that HNSW keeps while it searches; None where FLAT serves better.
        recall: of the nearest entry, at least: for entries left out and for strangers.
    """

    model_config = ConfigDict(frozen=True)

    entries: int
    ef: int | None
    recall: float


_TABLE = TypeAdapter(dict[str, Effort])


def read_efforts(value: bytes | str | None) -> dict[str, Effort]:
    """Read the efforts by the shards' aliases; what cannot be read counts as never measured."""
    try:
        return {} if value is None else _TABLE.validate_json(value)
    except ValidationError as error:
        log.warning("what was measured of the shards is unreadable, and forgotten: %s", error)
        return {}


def write_efforts(efforts: Mapping[str, Effort]) -> bytes:
    """Return the efforts as :func:`read_efforts` reads them."""
    return _TABLE.dump_json(dict(efforts))


class Efforts:
    """What a searcher knows of the shards: as it last read it."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._answer: Any = None
        self._efforts: dict[str, Effort] = {}

    def take(self, answer: Any) -> None:
        """Read Redis' answer about the table, where it is another one than before."""
        # Errors are never equal, and one that stays is told of once.
        if answer != self._answer and str(answer) != str(self._answer):
            self._answer, self._efforts = answer, read_efforts(text_of(self._key, answer))

    def ef(self, alias: str) -> int | None:
        """Return how hard the graph of a shard is to be searched; None where it is not known."""
        effort = self._efforts.get(alias)
        return None if effort is None else effort.ef
