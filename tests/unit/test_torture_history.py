"""The gallery as it was at each offset."""

import pytest

from infra.torture.history import EntryState, History
from schemas.gallery import GalleryEntry, Status
from tests.gallery_entries import entry


def state(identity: str, status: Status = Status.ACTIVE) -> GalleryEntry:
    return entry("e", identity, [1, 0]).model_copy(update={"status": status})


@pytest.fixture
def history() -> History:
    """Ann from offset 2 on, quarantined at 5, Bea from 7 on, erased at 9; a second each."""
    found = History()
    changes = {2: state("Ann"), 5: state("Ann", Status.QUARANTINED), 7: state("Bea"), 9: None}
    for offset, changed in changes.items():
        found.take("e", changed, offset, offset * 1000)
    return found


@pytest.mark.parametrize(
    ("identity", "first", "last", "met"),
    [
        ("Ann", 0, 1, False),
        ("Ann", 0, 2, True),
        ("Ann", 4, 6, True),
        ("Ann", 5, 6, False),
        ("Bea", 5, 7, True),
        ("Bea", 9, 12, False),
    ],
)
def test_an_identity_counts_where_a_matched_entry_had_it(
    history: History, identity: str, first: int, last: int, met: bool
) -> None:
    assert history.was_active(identity, first, last) is met


@pytest.mark.parametrize(
    ("first", "last", "stayed"),
    [(2, 4, True), (3, 3, True), (1, 4, False), (2, 5, False), (7, 8, True), (7, 9, False)],
)
def test_an_entry_stays_only_where_it_was_matched_throughout(
    history: History, first: int, last: int, stayed: bool
) -> None:
    assert history.stayed_active("e", first, last) is stayed


def test_a_change_of_name_is_no_gap() -> None:
    history = History()
    history.take("e", state("Ann"), 0, 0)
    history.take("e", state("Bea"), 1, 1)
    assert history.stayed_active("e", 0, 1)
    assert history.now == {"e": EntryState("Bea", active=True)}
    assert not history.stayed_active("other", 0, 1)


def test_the_newest_change_up_to_an_instant(history: History) -> None:
    assert [history.newest_at(ms) for ms in (0, 1999, 2000, 6500, 99_000)] == [-1, -1, 2, 5, 9]


def test_an_erased_entry_that_comes_back_is_told(history: History) -> None:
    assert history.returned == []
    history.take("e", state("Ann"), 11, 11_000)
    assert history.returned == ["e as Ann at offset 11"]
    assert history.ever == {"e"}
