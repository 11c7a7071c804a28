"""What the records of the gallery say together: terms, erasures, records that cannot be read."""

from dataclasses import replace

import pytest

from schemas.errors import BadInput, SetupError
from schemas.event import now
from schemas.gallery import ErasedMark, TermClaim, entry_key, under_term
from schemas.gallery_fold import GalleryFold
from schemas.records import Record
from tests.gallery_entries import CAPTURED, entry

OAK, ELM = entry("oak-1", "oak", [1, 0]), entry("elm-1", "elm", [0, 1])
SALT = "0123456789abcdef"


def claim(term: int, owner: str = "ann", salt: str = SALT) -> Record:
    made = TermClaim(term=term, owner=owner, claimed_at=now(), salt=salt)
    return made.record("gallery")


def put(term: int, made: object = OAK) -> Record:
    return under_term(made.record("gallery"), term)  # type: ignore[attr-defined]


def gone(term: int, entry_id: str = "oak-1") -> Record:
    return under_term(Record("gallery", entry_key(entry_id), None), term)


def folded(*records: Record) -> GalleryFold:
    fold = GalleryFold()
    for offset, record in enumerate(records):
        fold.take(replace(record, partition=0, offset=offset))
    return fold


def test_entries_are_the_last_of_each_key() -> None:
    renamed = OAK.model_copy(update={"identity": "ash"})
    fold = folded(claim(1), put(1), put(1, ELM), put(1, renamed), gone(1, "elm-1"))
    assert {i: e.identity for i, e in fold.entries.items()} == {"oak-1": "ash"}
    assert (fold.position, fold.changed_at, fold.term) == (4, 4, 1)


def test_a_record_is_taken_once() -> None:
    fold = folded(claim(1), put(1), gone(1))
    fold.take(replace(put(1), offset=1))
    assert fold.entries == {}


def test_what_an_older_term_writes_after_a_claim_counts_for_nothing() -> None:
    renamed = OAK.model_copy(update={"identity": "ash"})
    fold = folded(claim(1), put(1), claim(2, "bob"), put(1, renamed), put(1, ELM), gone(1))
    assert {i: e.identity for i, e in fold.entries.items()} == {"oak-1": "oak"}
    assert fold.overruled == {b"entry:oak-1", b"entry:elm-1"}
    truth = fold.truth(b"entry:oak-1", "gallery")
    assert (truth.value, truth.header("term")) == (put(2).value, "2")
    assert fold.truth(b"entry:elm-1", "gallery").value is None
    fold.take(replace(truth, offset=6))
    assert fold.overruled == {b"entry:elm-1"}


def test_of_two_claims_of_one_term_the_first_counts() -> None:
    fold = folded(claim(1, "ann"), claim(1, "bob"), claim(1, "ann"))
    assert fold.claim is not None
    assert (fold.claim.owner, fold.overruled) == ("ann", set())
    assert folded(claim(1, "ann"), claim(1, "bob")).overruled == {b"term"}
    assert folded(claim(2, "ann"), claim(1, "bob")).overruled == {b"term"}


def test_the_next_claim_is_above_all_terms_and_keeps_the_salt() -> None:
    fold = folded(claim(1), put(7))
    made = fold.next_claim("bob", "another salt, long", 0)
    assert (made.term, made.salt, made.begins) == (8, SALT, 0)
    first = folded().next_claim("bob", "another salt, long", 5)
    assert (first.term, first.salt, first.begins) == (1, "another salt, long", 5)
    later = folded(first.record("gallery")).next_claim("ann", SALT, 2)
    assert (later.term, later.salt, later.begins) == (2, "another salt, long", 5)


def test_a_mark_of_an_erased_id_outlives_its_tombstone_and_names_nobody() -> None:
    fold = folded(claim(1), put(1))
    mark = ErasedMark(entry_hash=fold.erasures.hash("oak-1"), erased_at=CAPTURED)
    records = [claim(1), put(1), put(1, mark)]
    after = folded(*records)
    assert (after.erasures.at("oak-1"), after.erasures.at("elm-1")) == (CAPTURED, None)
    written = (put(1, mark).key or b"") + (put(1, mark).value or b"")
    assert b"oak-1" not in written
    other = folded(claim(1, salt="another salt, long"), put(1, mark))
    assert other.erasures.at("oak-1") is None
    assert folded(*records, put(1, mark)).truth(b"erased:x", "gallery").value is None
    assert after.truth(put(1, mark).key or b"", "gallery").value == put(1, mark).value


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (replace(put(1), value=b'{"schema_version": 9}'), "bad_event"),
        (replace(put(1), value=b"\xff"), "bad_event"),
        (replace(put(1), key=b"\xff"), "bad_key"),
        (replace(put(1), key=None), "bad_key"),
        (replace(put(1), key=b"oak-1"), "bad_key"),
        (replace(put(1), key=b"entry:elm-1"), "bad_key"),
        (replace(put(1), headers=()), "no_term"),
        (replace(put(1), headers=(("term", b"x"),)), "no_term"),
        (Record("gallery", b"term", b"{}"), "bad_event"),
        (Record("gallery", b"erased:aa", b"{}", (("term", b"1"),)), "bad_event"),
    ],
)
def test_a_record_that_cannot_be_read_is_named_and_changes_nothing(
    record: Record, reason: str
) -> None:
    fold = folded(claim(1), put(1), record, put(1, ELM))
    assert set(fold.entries) == {"oak-1", "elm-1"}
    if record.key != b"entry:elm-1":
        ((_, error),) = fold.unreadable.values()
        assert error.reason == reason
    bad = folded(claim(1), put(1), record)
    assert [error.reason for _, error in bad.unreadable.values()] == [reason]
    for key in bad.overruled:
        assert bad.truth(key, "gallery").key == key


def test_a_stranger_that_displaces_an_entry_is_overruled() -> None:
    fold = folded(claim(1), put(1), replace(put(1), headers=()))
    assert fold.overruled == {b"entry:oak-1"}
    fold.take(replace(fold.truth(b"entry:oak-1", "gallery"), offset=3))
    assert (fold.overruled, fold.unreadable) == (set(), {})


def test_a_gallery_of_an_earlier_version_is_refused_with_what_to_do() -> None:
    old = replace(OAK.record("gallery"), key=b"oak-1")
    with pytest.raises(SetupError, match=r"gallery-0-0 is an entry .* enrol again"):
        folded(old)


def test_one_that_no_client_reads_is_told_and_pushes_nothing_out() -> None:
    problem = BadInput("bad_header_name", "b'\\xe9' is not UTF-8")
    fold = folded(claim(1), put(1), replace(put(1, ELM), problem=problem))
    fold.take(replace(put(1, OAK), offset=3, problem=problem))
    assert set(fold.entries) == {"oak-1"}
    assert fold.overruled == {b"entry:oak-1", b"entry:elm-1"}
    assert fold.unreadable[b"entry:elm-1"][1] is problem
    assert fold.truth(b"entry:oak-1", "gallery").value == put(1).value
