"""Reads what Redis answers; what is no whole answer is an error."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError
from redis.exceptions import RedisError, ResponseError

from recognition.decision import Neighbour
from schemas.errors import DependencyDown, NotAllowed
from streams.index.base import GalleryState, IndexDiffers
from streams.index.shard import Shard

# FT.INFO's whole answer costs the client as much as a search; the script passes two fields on. They
# and the state are read in one instant, and a writer changes them together. What we may not ask is
# an error, and no shard that is missing.
_SCRIPT = """
local function plain(value)
  if type(value) == 'table' then return value.ok or value.double or '' end
  return value
end
local function refused(value)
  return type(value) == 'table' and value.err and string.find(value.err, 'no permissions', 1, true)
end
local state = redis.pcall('GET', KEYS[1])
if refused(state) then return state end
if type(state) == 'table' then state = false end
local found = {state}
for i, alias in ipairs(ARGV) do
  local info = redis.pcall('FT.INFO', alias)
  if refused(info) then return info end
  local name, count = '', -1
  if info.map then
    name, count = info.map.index_name, info.map.num_docs
  elseif not info.err then
    for j = 1, #info, 2 do
      local field = plain(info[j])
      if field == 'index_name' then name = info[j + 1] end
      if field == 'num_docs' then count = info[j + 1] end
    end
  end
  found[2 * i] = plain(name)
  found[2 * i + 1] = tostring(plain(count))
end
return found
"""


def counting(state_key: str, shards: Sequence[Shard]) -> list[Any]:
    """Return the command that reads the state and counts the entries of each shard."""
    return ["EVAL", _SCRIPT, 1, state_key, *(shard.alias for shard in shards)]


def counted(answer: Sequence[Any], shards: Sequence[Shard]) -> dict[str, int]:
    """Return by alias how many entries each shard holds; -1 where its index is missing.

    An alias that leads to an index of somebody else counts as missing.
    """
    rows = zip(shards, answer[1::2], answer[2::2], strict=True)
    return {
        shard.alias: int(float(count)) if shard.is_own(name.decode()) else -1
        for shard, name, count in rows
    }


def check(held: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    """Compare what shards hold with what they should.

    Raises:
        IndexDiffers: naming the first that differs.
    """
    for alias, count in held.items():
        due = wanted.get(alias, 0)
        if count != due:
            shown = "is missing" if count < 0 else f"holds {count} entries"
            raise IndexDiffers(f"shard {alias} {shown}, its state says {due}")


def check_found(found: Collection[object], k: int, held: int, alias: str) -> None:
    """Raise IndexDiffers when a search returned fewer entries than the shard must have given."""
    if len(found) < min(k, held):
        raise IndexDiffers(f"shard {alias} gave {len(found)} of {min(k, held)} nearest entries")


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


def text_of(key: str, answer: Any) -> bytes | None:
    """Return the text that a key was found to hold; what is of another type is somebody else's.

    Raises:
        RedisError: the answer is another error.
    """
    if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
        log.warning("%s: %s: taken as absent", key, answer)
        return None
    if isinstance(answer, Exception):
        raise answer
    text: bytes | None = answer
    return text


def well(answer: Any) -> Any:
    """Return the answer.

    Raises:
        IndexDiffers: Redis refused, as it does where an index is missing.
        NotAllowed: the user of Redis may not do it.
        DependencyDown: another error came in place of the answer.
    """
    permitted(answer)
    if isinstance(answer, ResponseError):
        raise IndexDiffers(f"Redis refused: {answer}") from answer
    if isinstance(answer, Exception):
        raise DependencyDown("redis", f"{type(answer).__name__}: {answer}") from answer
    return answer


def permitted(answer: Any) -> Any:
    """Return the answer, which may be any other error than that we may not ask.

    Raises:
        NotAllowed: the user of Redis may not do it.
    """
    if isinstance(answer, ResponseError) and "no permissions" in str(answer):
        raise NotAllowed("redis", f"refused: {answer}") from answer
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
