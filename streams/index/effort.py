"""How hard the graph of each shard is searched: EF_RUNTIME, as it was measured there."""

import logging
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

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

    def __init__(self) -> None:
        self._value: bytes | str | None = None
        self._efforts: dict[str, Effort] = {}

    def take(self, value: bytes | str | None) -> None:
        """Read the table again, where it is another one."""
        if value != self._value:
            self._value, self._efforts = value, read_efforts(value)

    def ef(self, alias: str) -> int | None:
        """Return how hard the graph of a shard is to be searched; None where it is not known."""
        effort = self._efforts.get(alias)
        return None if effort is None else effort.ef
