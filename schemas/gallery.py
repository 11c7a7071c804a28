"""How the gallery is changed, and the records that say what it holds."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.embedding import Embedding
from schemas.errors import BadInput, SetupError
from schemas.event import Background, Decided, Event, EventId, Identity, Instant, Vector, now
from schemas.quality import Quality
from schemas.recognition_event import ReviewItem
from schemas.records import Record

ENTRY_KEY = b"entry:"
ERASED_KEY = b"erased:"
TERM_KEY = b"term"
TERM_HEADER = "term"


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
    quality: Quality | None = Field(
        None, description="Of the picture that was enrolled; null where it was not measured"
    )
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
    quality: Quality | None = None

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
            quality=embedded.quality,
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


class TermClaim(Event):
    """Somebody begins to write the gallery: from here on, what older terms write is ignored."""

    type: ClassVar[str] = "perennial.gallery-term.v1"

    term: int = Field(ge=1)
    owner: str = Field(min_length=1, description="The process: host, process id and a random part")
    claimed_at: Instant
    salt: str = Field(min_length=16, description="Of the hashes of erased ids; of the first claim")
    begins: int = Field(
        default=0, ge=0, description="First offset of the log that an operator has accepted"
    )

    @property
    def id(self) -> str:
        """The term."""
        return str(self.term)

    @property
    def key(self) -> bytes:
        """One key for all claims: compaction keeps the newest."""
        return TERM_KEY


class ErasedMark(Event):
    """An id that was erased, as its salted hash: a tombstone does not last, this does."""

    type: ClassVar[str] = "perennial.gallery-erased.v1"

    entry_hash: str
    erased_at: Instant = Field(description="When the erasure was decided")

    @property
    def id(self) -> str:
        """The salted hash."""
        return self.entry_hash

    @property
    def key(self) -> bytes:
        """The hash, under a prefix of its own."""
        return ERASED_KEY + self.entry_hash.encode()


@dataclass(frozen=True, slots=True)
class Erased:
    """An entry that is gone for ever.

    Attributes:
        at: when that was decided; None where only its tombstone tells of it.
    """

    entry_id: str
    at: datetime | None = None

    @property
    def key(self) -> bytes:
        """The key of its tombstone."""
        return entry_key(self.entry_id)


Change = GalleryEntry | Erased


def read_gallery_record(record: Record) -> GalleryEntry | TermClaim | ErasedMark:
    """Read whatever of the three a record of ``gallery`` is, by its key; a tombstone is none.

    Raises:
        BadInput: ``bad_event`` when it is no valid one.
    """
    key = record.key or b""
    if key == TERM_KEY:
        return TermClaim.read(record)
    return ErasedMark.read(record) if key.startswith(ERASED_KEY) else GalleryEntry.read(record)


def entry_key(entry_id: str) -> bytes:
    """Return the key that an entry lies under."""
    return ENTRY_KEY + entry_id.encode()


def under_term(record: Record, term: int) -> Record:
    """Return the record with the term of who writes it."""
    kept = tuple(header for header in record.headers if header[0] != TERM_HEADER)
    return replace(record, headers=(*kept, (TERM_HEADER, str(term).encode())))


def term_of(record: Record) -> int:
    """Return the term that a record was written under.

    Raises:
        BadInput: ``no_term`` where it names none: no gallery agent wrote it.
        SetupError: it is an entry of a gallery of an earlier version.
    """
    text = record.header(TERM_HEADER)
    if text is not None and text.isascii() and text.isdigit():
        return int(text)
    if text is None and (record.header("ce_type") or "").startswith("perennial.gallery-entry"):
        raise SetupError(
            f"{record.position} is an entry of a gallery that an earlier version wrote, which this "
            "one cannot go on with: delete the topics gallery and gallery-commands, run `perennial "
            "topics create` and enrol again; or set PERENNIAL_TOPIC_PREFIX to begin beside it"
        )
    raise BadInput("no_term", f"header {TERM_HEADER!r} is {text!r}; expected a term's number")
