"""What the records of ``gallery`` say together: the one place that knows how they are read.

A term is claimed by a record of its own. Once it is claimed, what is still written under an older
one counts for nothing; whoever holds the term writes the truth again under such a key, because
compaction keeps the newest record of a key, whatever it is.
"""

import hashlib
from datetime import datetime

from schemas.errors import BadInput
from schemas.event import now
from schemas.gallery import (
    ENTRY_KEY,
    ERASED_KEY,
    TERM_KEY,
    Change,
    Erased,
    ErasedMark,
    GalleryEntry,
    TermClaim,
    term_of,
    under_term,
)
from schemas.records import Record

_OURS = (ENTRY_KEY, ERASED_KEY)
_FOREIGN = frozenset({"no_term", "bad_header_name"})
"""Why a record was not written by an owner of the gallery: it must not push out what was."""


class Erasures:
    """Which ids were erased, and when that was decided; the ids themselves are not kept."""

    def __init__(self) -> None:
        self.salt = ""
        self.marks: dict[str, datetime] = {}

    def hash(self, entry_id: str) -> str:
        """Return the salted hash that stands for an id."""
        return hashlib.sha256((self.salt + entry_id).encode()).hexdigest()

    def at(self, entry_id: str) -> datetime | None:
        """Return when the erasure of an id was decided; None where it never was."""
        return self.marks.get(self.hash(entry_id)) if self.marks else None

    def mark(self, entry_id: str, at: datetime) -> None:
        """Note that an id was erased."""
        self.marks[self.hash(entry_id)] = at


class GalleryFold:
    """The gallery as its log says, record by record.

    Attributes:
        position: offset of the last record taken, -1 before the first.
        changed_at: offset of the last record that changed an entry.
        term: the highest that was claimed, 0 before the first.
        claim: who claimed it.
        entries: by id, active and quarantined.
        erasures: the ids that were erased.
        overruled: keys whose newest record counts for nothing.
        unreadable: by key, the newest record where it cannot be read, and why.
    """

    def __init__(self) -> None:
        self.position = -1
        self.changed_at = -1
        self.term = 0
        self.claim: TermClaim | None = None
        self.entries: dict[str, GalleryEntry] = {}
        self.erasures = Erasures()
        self.overruled: set[bytes] = set()
        self.unreadable: dict[bytes, tuple[Record, BadInput]] = {}

    def take(self, record: Record) -> Change | None:
        """Take the next record; return what it changes, if anything.

        Raises:
            SetupError: an earlier version wrote this log.
        """
        if record.offset <= self.position:
            return None
        self.position = record.offset
        key = b"" if record.key is None else record.key
        try:
            counts, change = self._read(key, record)
        except BadInput as error:
            self.unreadable[key] = (record, error)
            if key == TERM_KEY or (error.reason in _FOREIGN and key.startswith(_OURS)):
                self.overruled.add(key)
            return None
        self.unreadable.pop(key, None)
        if not counts:
            self.overruled.add(key)
            return None
        self.overruled.discard(key)
        if change is not None:
            self.apply(change, record.offset)
        return change

    def apply(self, change: Change, offset: int) -> None:
        """Take over a change of an entry."""
        self.position, self.changed_at = max(self.position, offset), offset
        if isinstance(change, Erased):
            self.entries.pop(change.entry_id, None)
        else:
            self.entries[change.entry_id] = change

    def next_claim(self, owner: str, salt: str, begins: int = 0, above: int = 0) -> TermClaim:
        """Return the claim of the next term.

        Args:
            owner: who claims.
            salt: for the first claim of all; later ones carry it on.
            begins: the first offset that an operator has accepted.
            above: a term that is taken elsewhere.
        """
        known = self.claim
        return TermClaim(
            term=max(self.term, above) + 1,
            owner=owner,
            claimed_at=now(),
            salt=salt if known is None else known.salt,
            begins=max(begins, 0 if known is None else known.begins),
        )

    def truth(self, key: bytes, topic: str) -> Record:
        """Return the record that says what holds under an overruled key, to write it once more."""
        if key == TERM_KEY and self.claim is not None:
            return self.claim.record(topic)
        held: GalleryEntry | ErasedMark | None = None
        kind, _, name = key.decode().partition(":")
        if kind == "entry":
            held = self.entries.get(name)
        elif name in self.erasures.marks:
            held = ErasedMark(entry_hash=name, erased_at=self.erasures.marks[name])
        record = Record(topic, key, None) if held is None else held.record(topic)
        return under_term(record, self.term)

    def _read(self, key: bytes, record: Record) -> tuple[bool, Change | None]:
        """Return whether the record counts, and which entry it changes."""
        if record.problem is not None:
            raise record.problem
        try:
            name = key.decode()
        except UnicodeDecodeError as error:
            raise BadInput("bad_key", f"key {key!r} is no UTF-8") from error
        if key == TERM_KEY:
            return self._claimed(TermClaim.read(record)), None
        term = term_of(record)
        if term < self.term:
            return False, None
        change = self._change(name, record)
        # Its claim lies before it in the log, or was compacted away.
        self.term = term
        return True, change

    def _claimed(self, claim: TermClaim) -> bool:
        known = self.claim
        if claim.term < self.term:
            return False
        if known is not None and claim.term == known.term and claim.owner != known.owner:
            return False  # both took it for the next one: the first in the log has it
        self.term, self.claim, self.erasures.salt = claim.term, claim, claim.salt
        return True

    def _change(self, key: str, record: Record) -> Change | None:
        kind, _, name = key.partition(":")
        if kind == "entry":
            return _entry(name, record)
        if kind != "erased":
            raise BadInput("bad_key", f"key {key!r}; expected entry:<id>, erased:<hash> or term")
        if record.value is None:
            self.erasures.marks.pop(name, None)
        else:
            self.erasures.marks[name] = ErasedMark.read(record).erased_at
        return None


def _entry(entry_id: str, record: Record) -> Change:
    if record.value is None:
        return Erased(entry_id)
    entry = GalleryEntry.read(record)
    if entry.entry_id != entry_id:
        raise BadInput("bad_key", f"entry {entry.entry_id!r} lies under the id {entry_id!r}")
    return entry
