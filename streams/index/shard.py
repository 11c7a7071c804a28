"""One shard in Redis: its names, its redisvl schema, and the query that asks it."""

import hashlib
from typing import Any

from redisvl.query import VectorQuery
from redisvl.schema import IndexSchema

from recognition.distance import Metric, from_redis
from recognition.match import Neighbour
from schemas.event import FloatVector
from streams.index.base import IndexEntry

_SCORE = b"vector_distance"


class Shard:
    """The names of the shard of one (space, cluster).

    Index, alias and keys share one hash tag, ``gallery:{<space>.<cluster>}``, so that on Redis
    Cluster the index and its entries lie on one node. The space is named by a digest.
    """

    def __init__(self, prefix: str, space: str, cluster: str) -> None:
        self.cluster = cluster
        digest = hashlib.sha256(space.encode()).hexdigest()[:10]
        self.alias = f"{prefix}gallery:{{{digest}.{cluster}}}"

    def key(self, entry_id: str) -> str:
        """Return the key of the hash that holds an entry."""
        return f"{self.alias}:{entry_id}"

    def index(self, algorithm: str) -> str:
        """Return the name of the index behind the alias."""
        return f"{self.alias}.{algorithm}"

    def schema(self, algorithm: str, dimension: int) -> IndexSchema:
        """Return the redisvl schema: one vector field; the rest is stored but not indexed."""
        attributes = {
            "dims": dimension,
            "algorithm": algorithm,
            "datatype": "float32",
            "distance_metric": Metric.COSINE.value,
        }
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

    def search(self, vector: FloatVector, k: int) -> list[Any]:
        """Return the FT.SEARCH command for the k nearest entries."""
        query = VectorQuery(
            vector=vector.astype("<f4").tobytes(),
            vector_field_name="vector",
            return_fields=["identity", "scale"],
            num_results=k,
        )
        parameters = [part for pair in query.params.items() for part in pair]
        return ["FT.SEARCH", self.alias, *query.get_args(), "PARAMS", len(parameters), *parameters]

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
            distance=from_redis(float(fields[_SCORE]), Metric.COSINE),
            cluster=self.cluster,
            scale=float(fields.get(b"scale", 1)),  # an index of before there were scales
        )


def alias_of(index: str) -> str:
    """Return the alias of the shard that an index is of."""
    return index.rsplit(".", 1)[0]
