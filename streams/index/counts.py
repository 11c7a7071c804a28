"""How many entries the shards hold, and the state, in one instant."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from streams.index.base import IndexDiffers
from streams.index.shard import Shard

# FT.INFO's whole answer costs the client as much as a search; the script passes two fields on. They
# and the state are read in one instant, and a writer changes them together.
_SCRIPT = """
local function plain(value)
  if type(value) == 'table' then return value.ok or value.double or '' end
  return value
end
local state = redis.pcall('GET', KEYS[1])
if type(state) == 'table' then state = false end
local found = {state}
for i, alias in ipairs(ARGV) do
  local info = redis.pcall('FT.INFO', alias)
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
