"""All that a replay needs of the topics."""

import asyncio
from dataclasses import dataclass

from client.present_gallery import Gallery, present_gallery
from client.recent_answers import People, recent_people, truth
from client.recent_probes import Probes, recent_probes
from schemas.settings import Settings


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
        BadInput: an entry of the gallery cannot be read by this version.
        DependencyDown: the broker does not answer.
        SetupError: a topic does not exist.
    """
    return Material(
        *await asyncio.gather(
            present_gallery(settings), recent_probes(settings, last), recent_people(settings, last)
        )
    )
