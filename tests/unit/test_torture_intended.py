"""What was decided, against what a gallery holds."""

import numpy as np
import pytest

from infra.torture.history import EntryState
from infra.torture.intended import Intended, Wish, wish
from schemas.gallery import Erase, Move, Quarantine, Restore


def known(identity: str, *, active: bool = True) -> EntryState:
    return EntryState(identity, active)


ERASED = Wish("Cid", Erase(), ("c",))


@pytest.fixture
def intended() -> Intended:
    found = Intended()
    found.answered("a", 1, "Ann")
    found.answered("b", 1, "Ann")
    found.answered("c", 2, "Cid")
    return found


def test_commands_change_what_is_wanted_one_after_the_other(intended: Intended) -> None:
    intended.wished(Wish("Ann", Move(action="split", to="Bea"), ("a",), "Bea"))
    intended.wished(Wish("Ann", Quarantine(), ("a", "b")))
    intended.wished(Wish("Bea", Restore(), ("a",)))
    intended.wished(ERASED)
    assert intended.of_motif(1) == {"a": known("Bea"), "b": known("Ann", active=False)}
    assert intended.of_motif(2) == {}
    assert intended.knows("c")
    assert not intended.knows("d")


def test_a_gallery_that_is_as_decided_differs_in_nothing(intended: Intended) -> None:
    found = {"a": known("Ann"), "b": known("Ann"), "c": known("Cid")}
    assert intended.differences(found) == []


def test_each_difference_is_said_in_words(intended: Intended) -> None:
    intended.wished(ERASED)
    found = {"b": known("Bea", active=False), "c": known("Cid"), "d": known("Dan")}
    assert intended.differences(found) == [
        "a is missing; decided: Ann (active)",
        "b is Bea (quarantined); decided: Ann (active)",
        "c is Cid (active); decided: erased",
        "d is Dan (active); decided: nothing",
    ]
    assert intended.differences(found, motif=2) == []


ENTRIES = {name: known("Ann") for name in "abcd"}


def test_nobody_wishes_anything_of_two_entries() -> None:
    few = {name: known("Ann") for name in "ab"}
    assert wish(np.random.default_rng(1), few, "Ann", "1") is None


def test_what_was_split_is_joined_first() -> None:
    parts = {**ENTRIES, "e": known("part 1")}
    wished = wish(np.random.default_rng(1), parts, "Ann", "2")
    assert wished is not None
    assert wished.action == Move(action="merge", to="Ann")
    assert (wished.identity, wished.entry_ids, wished.to) == ("part 1", ("e",), "Ann")


def test_every_kind_of_wish_comes_and_says_what_it_must_do() -> None:
    entries = {**ENTRIES, "a": known("Ann", active=False)}
    found: dict[str, Wish] = {}
    for seed in range(40):
        wished = wish(np.random.default_rng(seed), entries, "Ann", "3")
        assert wished is not None
        found[wished.action.action] = wished
    assert set(found) == {"rename", "split", "quarantine", "restore", "erase"}
    assert found["rename"].entry_ids == ("a", "b", "c", "d")
    assert found["rename"].renamed_to == "motif 3"
    assert found["split"].to == "part 3"
    assert found["restore"].entry_ids == ("a",)
    for kind, action in {"quarantine": Quarantine, "restore": Restore, "erase": Erase}.items():
        assert isinstance(found[kind].action, action)
        assert found[kind].to is None
