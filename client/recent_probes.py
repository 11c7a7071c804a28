"""The probes that are replayed: the last embeddings."""

from collections.abc import Iterable
from dataclasses import dataclass

from client.newest import newest
from schemas.embedding import Embedding, read_embedding
from schemas.errors import BadInput
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS


@dataclass(frozen=True, slots=True)
class Probes:
    """Embeddings, the oldest first, and how many records were none that can be read."""

    embeddings: list[Embedding]
    unusable: int


async def recent_probes(settings: Settings, last: int) -> Probes:
    """Return the last embeddings of all partitions; one that was sent twice counts once.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: there is no topic of embeddings.
    """
    return probes_of((await newest(settings, EMBEDDINGS, last))[-last:])


def probes_of(records: Iterable[Record]) -> Probes:
    """Read embeddings; of those with one event id the last one counts."""
    found: dict[str, Embedding] = {}
    unusable = 0
    for record in records:
        try:
            embedding = read_embedding(record)
        except BadInput:
            unusable += 1
            continue
        found.pop(embedding.event_id, None)
        found[embedding.event_id] = embedding
    return Probes(list(found.values()), unusable)
