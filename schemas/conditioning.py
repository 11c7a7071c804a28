"""``conditioning``: which fitted artefact is active."""

from typing import ClassVar

from schemas.event import Event, Instant


class ActiveConditioning(Event):
    """Names the active artefact's version and where it lies."""

    type: ClassVar[str] = "perennial.active-conditioning.v1"

    name: str
    version: str
    uri: str
    activated_at: Instant
    actor: str

    @property
    def id(self) -> str:
        """The artefact's name: compaction keeps its newest version."""
        return self.name
