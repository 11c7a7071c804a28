"""All that a replay needs of the topics: the present gallery, the last probes, what people said."""

from collections.abc import Iterable
from dataclasses import dataclass

from client.gallery import Gallery, read_gallery
from client.reader import newest
from client.recent_answers import People, recent_people, truth
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


@dataclass(frozen=True, slots=True)
class Material:
    """The present gallery, the last probes, and what people said of them."""

    gallery: Gallery
    probes: Probes
    people: People

    @property
    def identities(self) -> dict[str, str]:
        """Whom people said that probes show, by event id."""
        ids = [probe.event_id for probe in self.probes.embeddings]
        return truth(ids, self.people, self.gallery.entries)


async def read_material(settings: Settings, last: int) -> Material:
    """Read the gallery, the last embeddings, and as much of what people were asked.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: a topic does not exist.
    """
    # One after the other: where one fails, none is left that reads on.
    return Material(
        await read_gallery(settings),
        await recent_probes(settings, last),
        await recent_people(settings, last),
    )


async def recent_probes(settings: Settings, last: int) -> Probes:
    """Return the last embeddings of all partitions; one that was sent twice counts once.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: there is no topic of embeddings.
    """
    return probes_of((await newest(settings, EMBEDDINGS, last))[-last:])


def probes_of(records: Iterable[Record]) -> Probes:
    """Read embeddings; of those with one event id the last one counts."""
    embeddings: dict[str, Embedding] = {}
    unusable = 0
    for record in records:
        try:
            embedding = read_embedding(record)
        except BadInput:
            unusable += 1
            continue
        embeddings.pop(embedding.event_id, None)
        embeddings[embedding.event_id] = embedding
    return Probes(list(embeddings.values()), unusable)
