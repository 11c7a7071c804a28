"""``gallery``: the three kinds of record on the topic, and the keys that they lie under."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from schemas.errors import BadInput, SetupError
from schemas.event import Event, Instant
from schemas.gallery import ENTRY_KEY, GalleryEntry
from schemas.records import Record

ERASED_KEY = b"erased:"
TERM_KEY = b"term"
TERM_HEADER = "term"


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
