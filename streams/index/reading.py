"""Reads what Redis answers; what is no whole answer is an error."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError
from redis.exceptions import RedisError, ResponseError

from recognition.decision import Neighbour
from schemas.errors import DependencyDown
from streams.index.base import GalleryState, IndexDiffers
from streams.index.counts import check_found
from streams.index.shard import Shard

log = logging.getLogger(__name__)


@contextmanager
def answers() -> Iterator[None]:
    """Turn every way in which Redis can fail to answer into ``DependencyDown``."""
    try:
        yield
    except ResponseError as error:
        raise DependencyDown("redis", f"refused: {error}") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise DependencyDown("redis", f"{type(error).__name__}: {error}") from error


def read_state(value: bytes | str | None) -> GalleryState | None:
    """Read the state; one that cannot be read counts as absent."""
    try:
        return None if value is None else GalleryState.model_validate_json(value)
    except ValidationError as error:
        log.warning("the state of the index is unreadable, and taken as absent: %s", error)
        return None


def well(answer: Any) -> Any:
    """Return the answer.

    Raises:
        IndexDiffers: Redis refused, as it does where an index is missing.
        DependencyDown: another error came in place of the answer.
    """
    if isinstance(answer, ResponseError):
        raise IndexDiffers(f"Redis refused: {answer}") from answer
    if isinstance(answer, Exception):
        raise DependencyDown("redis", f"{type(answer).__name__}: {answer}") from answer
    return answer


def merged(
    shards: Sequence[Shard], results: Any, k: int, held: Mapping[str, int]
) -> tuple[Neighbour, ...]:
    """Take as many results as there are shards; return the k nearest of all, nearest first.

    Args:
        held: by alias how many entries each shard holds, k of which it must have given.
    """
    neighbours: list[Neighbour] = []
    for shard, answer in zip(shards, results, strict=False):  # takes just as many as it needs
        if well(answer)[b"warning"]:  # RediSearch says so when it ran out of time: partial
            raise DependencyDown("redis", f"shard {shard.alias}: {answer[b'warning']}")
        nearest = shard.neighbours(answer[b"results"])
        check_found(nearest, k, held[shard.alias], shard.alias)
        neighbours.extend(nearest)
    return tuple(sorted(neighbours, key=lambda n: (n.distance, n.entry_id))[:k])
