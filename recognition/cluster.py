"""The cluster that a background belongs to, by the values of the variables one shards by."""

import math
from collections.abc import Mapping, Sequence
from urllib.parse import quote

ALL = "all"
UNCLUSTERED = "unclustered"
"""The shard of entries whose background does not tell their cluster; no cluster has this name."""


def cluster_of(background: Mapping[str, object], shard_by: Sequence[str]) -> str | None:
    """Return the cluster's name, or None where the background does not tell it.

    ``name=value`` for each variable in the order of ``shard_by``, joined by commas; :data:`ALL`
    when there is none. Text is percent-encoded (UTF-8) but for ``A-Z a-z 0-9 _ . -``, so that the
    name is safe in Redis keys and two different texts never share a cluster; case counts. A number
    or boolean is written as in JSON, whole numbers without a fraction: ``1``, ``1.0`` and ``"1"``
    are one value. A variable that is missing, None or empty text leaves the cluster open.

    >>> cluster_of({"season": "late winter", "infrared": True}, ["season", "infrared"])
    'season=late%20winter,infrared=true'

    Raises:
        ValueError: a value is not text, a finite number or a boolean.
    """
    if not shard_by:
        return ALL
    parts = []
    for name in shard_by:
        value = background.get(name)
        if value is None or value == "":
            return None
        parts.append(f"{_safe(name)}={_safe(_text(name, value))}")
    return ",".join(parts)


def _text(name: str, value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return str(int(value)) if value.is_integer() else repr(value)
        case _:
            raise ValueError(f"cannot shard by {name} = {value!r}: not text, a number or a boolean")


def _safe(text: str) -> str:
    # quote() leaves the tilde; a lone surrogate (JSON can carry one) is encoded like the rest.
    return quote(text, safe="", errors="surrogatepass").replace("~", "%7E")
