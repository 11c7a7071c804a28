"""One shard in Redis: its names, its redisvl schema, and the query that asks it."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from redisvl.query import VectorQuery
from redisvl.schema import IndexSchema

from recognition.decision import Neighbour
from recognition.distance import from_redis
from schemas.event import FloatVector
from streams.index.base import ROUNDING, IndexEntry

_SCORE = b"vector_distance"
_ALGORITHMS = ("flat", "hnsw")
_UNMEASURED_EF = 512


class Shard:
    """The names of the shard of one (space, cluster).

    Index, alias and keys share one hash tag, ``gallery:{<space>.<cluster>}``, so that on Redis
    Cluster the index and its entries lie on one node. The space is named by a digest.
    """

    def __init__(self, prefix: str, space: str, cluster: str) -> None:
        self.cluster = cluster
        digest = hashlib.sha256(space.encode()).hexdigest()[:10]
        self.alias = f"{prefix}gallery:{{{digest}.{cluster}}}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shard) and self.alias == other.alias

    def __hash__(self) -> int:
        return hash(self.alias)

    def key(self, entry_id: str) -> str:
        """Return the key of the hash that holds an entry."""
        return f"{self.alias}:{entry_id}"

    def index(self, algorithm: str) -> str:
        """Return the name of the index behind the alias."""
        return f"{self.alias}.{algorithm}"

    def is_own(self, index: str) -> bool:
        """Whether an index of this name is one of the shard."""
        return index in {self.index(algorithm) for algorithm in _ALGORITHMS}

    def schema(self, algorithm: str, dimension: int) -> IndexSchema:
        """Return the redisvl schema: one vector field; the rest is stored but not indexed."""
        attributes = {
            "dims": dimension,
            "algorithm": algorithm,
            "datatype": "float32",
            "distance_metric": "cosine",
        }
        if algorithm == "hnsw":
            # Of a shard that nothing is known of: rather slow than wrong.
            attributes["ef_runtime"] = _UNMEASURED_EF
        return IndexSchema.from_dict(
            {
                "index": {
                    "name": self.index(algorithm),
                    "prefix": self.alias,
                    "key_separator": ":",
                    "storage_type": "hash",
                },
                "fields": [{"name": "vector", "type": "vector", "attrs": attributes}],
            }
        )

    def put(self, entry: IndexEntry) -> list[Any]:
        """Return the HSET command that writes an entry."""
        fields = {
            "identity": entry.identity,
            "scale": repr(entry.scale),
            "vector": entry.vector.astype("<f4").tobytes(),
        }
        return ["HSET", self.key(entry.entry_id), *(x for field in fields.items() for x in field)]

    def get(self, entry_id: str) -> list[str]:
        """Return the HMGET command that reads an entry, for :meth:`is_right`."""
        return ["HMGET", self.key(entry_id), "identity", "scale", "vector"]

    def is_right(self, fields: Sequence[bytes | None] | Exception, entry: IndexEntry) -> bool:
        """Whether the fields read are those of the entry; the numbers up to their rounding."""
        if isinstance(fields, Exception):
            return False
        identity, scale, vector = fields
        if identity != entry.identity.encode() or scale is None or vector is None:
            return False
        wanted = entry.vector.astype("<f4")
        if len(vector) != wanted.nbytes:
            return False
        near = np.allclose(np.frombuffer(vector, "<f4"), wanted, rtol=0, atol=ROUNDING)
        return near and _is_number_near(scale, entry.scale)

    def search(
        self, vector: FloatVector, k: int, ef: int | None = None, index: str | None = None
    ) -> list[Any]:
        """Return the FT.SEARCH command for the k nearest entries.

        Args:
            vector: of the probe.
            k: how many.
            ef: how hard a graph is searched; only where the index is one.
            index: which of the shard's indexes; else the one behind the alias.
        """
        query = VectorQuery(
            vector=vector.astype("<f4").tobytes(),
            vector_field_name="vector",
            return_fields=["identity", "scale"],
            num_results=k,
            ef_runtime=ef,
        )
        parameters = [part for pair in query.params.items() for part in pair]
        name = self.alias if index is None else index
        return ["FT.SEARCH", name, *query.get_args(), "PARAMS", len(parameters), *parameters]

    def page(self, start: int, count: int) -> list[Any]:
        """Return the FT.SEARCH command for the vectors of some entries, as they lie there."""
        return ["FT.SEARCH", self.alias, "*", "RETURN", 1, "vector", "LIMIT", start, count]

    def vectors(self, results: list[dict[bytes, Any]]) -> dict[str, FloatVector]:
        """Read the RESP3 results of :meth:`page`: vectors by entry."""
        start = len(self.alias) + 1
        return {
            row[b"id"].decode()[start:]: np.frombuffer(row[b"extra_attributes"][b"vector"], "<f4")
            for row in results
        }

    def neighbours(self, results: list[dict[bytes, Any]]) -> list[Neighbour]:
        """Read the RESP3 results of :meth:`search`."""
        start = len(self.alias) + 1
        return [
            self._neighbour(row[b"id"].decode()[start:], row[b"extra_attributes"])
            for row in results
        ]

    def _neighbour(self, entry_id: str, fields: dict[bytes, bytes]) -> Neighbour:
        return Neighbour(
            entry_id=entry_id,
            identity=fields[b"identity"].decode(),
            distance=from_redis(float(fields[_SCORE])),
            cluster=self.cluster,
            scale=float(fields.get(b"scale", 1)),  # an index of before there were scales
        )


def _is_number_near(text: bytes, wanted: float) -> bool:
    try:
        return bool(np.isclose(float(text), wanted, rtol=ROUNDING, atol=0))
    except ValueError:
        return False


def alias_of(index: str) -> str:
    """Return the alias of the shard that an index is of."""
    return index.rsplit(".", 1)[0]
