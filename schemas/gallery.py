"""``gallery-commands`` and ``gallery``: how the gallery is changed, and what it holds."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.decided import Decided
from schemas.embedding import Embedding
from schemas.event import Background, Event, EventId, Identity, Instant, Vector, now
from schemas.recognition_event import ReviewItem

ENTRY_KEY = b"entry:"


class Status(StrEnum):
    """Quarantined entries are never matched, and can be restored."""

    ACTIVE = "active"
    QUARANTINED = "quarantined"


class GalleryEntry(Event):
    """One embedding of one identity. A tombstone on the topic means: erased."""

    type: ClassVar[str] = "perennial.gallery-entry.v1"

    entry_id: EventId
    identity: Identity
    status: Status = Status.ACTIVE
    model: str
    cluster: str
    background: Background
    source: str
    captured_at: Instant
    vector: Vector
    kept: bool = Field(default=False, description="A person restored it: retention leaves it alone")
    actor: str
    reason: str
    changed_at: Instant = Field(default_factory=now)
    decided_at: Instant = Field(
        default_factory=now,
        description="When the last command that changed it was decided; retention leaves it alone",
    )

    @property
    def id(self) -> str:
        """The id of the event that was enrolled: a repeat replaces, it never adds."""
        return self.entry_id

    @property
    def key(self) -> bytes:
        """The id, under a prefix of its own."""
        return ENTRY_KEY + self.entry_id.encode()


class _Action(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True
    )


class Enrol(_Action):
    """Add an entry; with a known id and another identity, move it there."""

    action: Literal["enrol"] = "enrol"
    entry_id: EventId
    model: str
    background: Background
    source: str
    captured_at: Instant
    vector: Vector

    @classmethod
    def of(cls, embedded: Embedding | ReviewItem) -> Self:
        """Return the action that enrols what was embedded, under the name of its event."""
        return cls(
            entry_id=embedded.event_id,
            model=embedded.model,
            background=embedded.background,
            source=embedded.source,
            captured_at=embedded.captured_at,
            vector=embedded.vector,
        )


class Quarantine(_Action):
    """Take entries of the identity out of matching (all of them when none is named)."""

    action: Literal["quarantine"] = "quarantine"
    entry_ids: tuple[EventId, ...] = ()


class Restore(_Action):
    """Put quarantined entries back (all of the identity's when none is named)."""

    action: Literal["restore"] = "restore"
    entry_ids: tuple[EventId, ...] = ()


class Move(_Action):
    """Give entries another identity: all of them is *rename* or *merge*, some of them *split*."""

    action: Literal["rename", "merge", "split"]
    to: Identity
    entry_ids: tuple[EventId, ...] = ()


class Erase(_Action):
    """Remove entries for ever: a tombstone on ``gallery``, nothing left in the index."""

    action: Literal["erase"] = "erase"
    entry_ids: tuple[EventId, ...] = ()


Action = Annotated[Enrol | Quarantine | Restore | Move | Erase, Field(discriminator="action")]


class GalleryCommand(Decided):
    """A change that somebody wants, with who, why and when.

    It changes no entry that a later decision has changed already, however late it comes.
    """

    type: ClassVar[str] = "perennial.gallery-command.v1"

    command_id: EventId
    identity: Identity
    actor: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    action: Action

    @property
    def id(self) -> str:
        """The command's own id."""
        return self.command_id

    @property
    def key(self) -> bytes:
        """The identity: changes of one identity stay in order."""
        return self.identity.encode()
