"""What a cluster is called: by its number where it was fitted, else by the values it stands for."""

import math
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from recognition.variable import as_text

Cluster = str
"""A cluster's name: of its shard, in the gallery's state, and in metrics."""

UNSHARDED: Cluster = "all"
"""The only cluster, where no variable is sharded by."""

UNCLUSTERED: Cluster = "unclustered"
"""What lies in no cluster, since its background does not tell which; no cluster has this name."""

EVERYWHERE: Cluster = "*"
"""Stands for all clusters, where a number is about the whole gallery; no cluster has this name."""

NO_CLUSTER = -1
""":data:`UNCLUSTERED` among the numbers of fitted clusters."""


def cluster_name(number: int) -> Cluster:
    """Return the name of a fitted cluster by its number.

    >>> [cluster_name(number) for number in (0, 12, NO_CLUSTER)]
    ['c0', 'c12', 'unclustered']
    """
    return UNCLUSTERED if number == NO_CLUSTER else f"c{number}"


def cluster_number(name: Cluster) -> int:
    """Return the number of a cluster that :func:`cluster_name` named."""
    return NO_CLUSTER if name == UNCLUSTERED else int(name.removeprefix("c"))


def cluster_of(background: Mapping[str, object], shard_by: Sequence[str]) -> Cluster:
    """Return the cluster that a background belongs to, by the variables that one shards by.

    ``name=value`` for each variable in the order of ``shard_by``, joined by commas;
    :data:`UNSHARDED` when there is none. Text is percent-encoded (UTF-8) but for
    ``A-Z a-z 0-9 _ . -``, so that the name is safe in Redis keys and two different texts never
    share a cluster; case counts. A number or boolean is written as in JSON, whole numbers without
    a fraction: ``1``, ``1.0`` and ``"1"`` are one value. A variable that is missing, None or empty
    text leaves it :data:`UNCLUSTERED`.

    >>> cluster_of({"season": "late winter", "infrared": True}, ["season", "infrared"])
    'season=late%20winter,infrared=true'

    Raises:
        ValueError: a value is not text, a finite number or a boolean.
    """
    if not shard_by:
        return UNSHARDED
    parts = []
    for name in shard_by:
        value = background.get(name)
        if value is None or value == "":
            return UNCLUSTERED
        if not isinstance(value, str | int | float) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise ValueError(f"cannot shard by {name} = {value!r}: not text, a number or a boolean")
        parts.append(f"{_safe(name)}={_safe(as_text(value))}")
    return ",".join(parts)


def _safe(text: str) -> str:
    # quote() leaves the tilde; a lone surrogate (JSON can carry one) is encoded like the rest.
    return quote(text, safe="", errors="surrogatepass").replace("~", "%7E")
