"""The account: what is lost, what cannot be true, and how it is shown."""

import io
from collections import Counter

import pytest
from rich.console import Console

from infra.torture.account import Account, Restarts, restarts
from infra.torture.history import History
from infra.torture.register import Register, Seen, judge
from infra.torture.screen import show
from infra.torture.traffic import Outbound, Traffic
from schemas.gallery import Status
from schemas.records import Record
from schemas.settings import Settings
from tests.gallery_entries import entry

RECORD = Record("frames", b"cam", b"bytes")
PICTURE = (3, 1)


def good(name: str | None = "cam/1") -> Outbound:
    return Outbound(RECORD, "cam", name, PICTURE)


def bad(name: str = "cam/2") -> Outbound:
    return Outbound(RECORD, "cam", name, None, "NaN")


def heard(name: str, kind: str = "identified", **changes: object) -> Seen:
    values: dict[str, object] = {
        "kind": kind,
        "name": name,
        "origin": None,
        "summary": "Ann",
        "identity": "Ann" if kind == "identified" else None,
        "nearest": 0.0,
        "gallery_position": 5,
        "at_ms": 6000,
    }
    return Seen(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def history(register: Register) -> History:
    """One entry, Ann's, of the same picture, from offset 4 on; its frame was published before."""
    found = History()
    register.sent(good("cam/0"), "frames-0-0", 0)
    register.heard(heard("cam/0", gallery_position=-1, at_ms=0, kind="review", nearest=None), 1)
    found.take("cam/0", entry("cam/0", "Ann", [1, 0]), 4, 4000)
    return found


def test_a_record_without_an_outcome_is_lost(register: Register, history: History) -> None:
    register.sent(good(), "frames-0-1", 1)
    assert register.waiting == {"cam/1"}
    assert judge(register, history).lost == ["cam/1"]


def test_the_right_answer_is_certain_and_not_wrong(register: Register, history: History) -> None:
    register.sent(good(), "frames-0-1", 1)
    register.heard(heard("cam/1"), 2)
    judged = judge(register, history)
    assert (judged.lost, judged.wrong, judged.certain) == ([], [], 1)
    assert not register.waiting


def test_an_outcome_may_be_heard_before_the_acknowledgement(register: Register) -> None:
    register.heard(heard("cam/1"), 1)
    register.sent(good(), "frames-0-1", 2)
    assert not register.waiting
    assert [(s.sent_at, s.ended_at) for s in register.stays()] == [(2, 2)]


def test_a_picture_that_was_held_must_be_found(register: Register, history: History) -> None:
    register.sent(good(), "frames-0-1", 1)
    register.heard(heard("cam/1", "review", nearest=0.4, summary="beyond_threshold"), 2)
    [wrong] = judge(register, history).wrong
    assert "cam/0 shows the same picture and was held at 5 to 5" in wrong


def test_a_picture_that_was_quarantined_need_not_be_found(
    register: Register, history: History
) -> None:
    quarantined = entry("cam/0", "Ann", [1, 0], status=Status.QUARANTINED)
    history.take("cam/0", quarantined, 6, 5500)
    register.sent(good(), "frames-0-1", 1)
    register.heard(heard("cam/1", "review", nearest=0.4), 2)
    judged = judge(register, history)
    assert (judged.wrong, judged.certain) == ([], 0)


def test_an_identity_that_nobody_held_is_wrong(register: Register, history: History) -> None:
    register.sent(good(), "frames-0-1", 1)
    register.heard(heard("cam/1", identity="Zoe"), 2)
    [wrong] = judge(register, history).wrong
    assert wrong.startswith("cam/1: identified as Zoe, which nobody held")


def test_a_good_frame_among_the_dead_is_wrong(register: Register, history: History) -> None:
    register.sent(good(), "frames-0-1", 1)
    register.heard(heard("cam/1", "dead", summary="internal_error: oh"), 2)
    assert judge(register, history).wrong == [
        "cam/1: a good frame is a dead letter: internal_error: oh"
    ]


def test_a_bad_record_is_followed_by_its_position(register: Register, history: History) -> None:
    register.sent(bad(), "frames-0-7", 1)
    register.heard(heard("cam/2", "dead", origin="frames-0-8"), 2)
    assert judge(register, history).lost == ["frames-0-7 (NaN)"]
    register.heard(heard("cam/2", "dead", origin="frames-0-7"), 2)
    judged = judge(register, history)
    assert (judged.lost, judged.wrong) == ([], [])
    register.heard(heard("cam/2"), 2)
    assert judge(register, history).wrong == ["frames-0-7 (NaN): identified as Ann"]


def test_a_frame_without_an_id_is_named_by_its_position_and_a_repeat_counts_once(
    register: Register,
) -> None:
    register.sent(good(None), "frames-0-7", 1)
    register.sent(good(), "frames-0-8", 1)
    register.sent(good(), "frames-0-9", 1)
    assert set(register.parcels) == {"cam/frames-0-7", "cam/1"}
    assert register.repeats == 1


def test_the_traffic_is_the_same_for_the_same_seed_and_has_every_kind() -> None:
    one, other = (Traffic(Settings(), 3) for _ in range(2))
    first = [outbound for _ in range(2000) for outbound in one.next()]
    second = [outbound for _ in range(2000) for outbound in other.next()]
    assert [o.name for o in first] == [o.name for o in second]
    assert [o.record.value for o in first] == [o.record.value for o in second]
    flaws = {o.flaw for o in first}
    assert {None, "NaN", "null value", "embedding of nothing"} <= flaws
    named = Counter(o.name for o in first if o.flaw is None and o.name is not None)
    assert max(named.values()) > 1  # repeats
    assert any(o.name is None and o.flaw is None for o in first)
    own_ids = {name.partition("/")[2] for name in named}
    assert len(own_ids) < len(named)  # one id of two cameras


def account(**changes: object) -> Account:
    values: dict[str, object] = {
        "seed": 7,
        "seconds": 180.0,
        "broker": "embedded",
        "published": 1000,
        "repeats": 10,
        "bad": 60,
        "outcomes": {"dead": 60, "identified": 700, "review": 300},
        "certain": 500,
        "decisions": 80,
        "commands": 30,
        "entries": 70,
        "faults": {"worker killed (-9)": 2},
        "spared": 1,
        "restarts": restarts({"worker": {1, 2, 3, 4}}, Counter(worker=2)),
        "waits_s": (0.2, 3.0, 20.0),
        "stall": "frames-0 from 20 s on",
        "stall_s": 12.0,
        "slowest_end_s": {"worker": 1.5},
        "memory": {},
    }
    return Account(**{**values, **changes})  # type: ignore[arg-type]


def test_restarts_that_no_fault_explains_are_told_apart() -> None:
    assert account().restarts == {"worker": Restarts(times=3, by_us=2)}
    assert account().restarts["worker"].by_itself == 1


@pytest.mark.parametrize("what", ["lost", "wrong", "decided", "returned", "in_redis"])
def test_one_problem_is_enough(what: str) -> None:
    assert account().clean
    assert not account(**{what: ["x"]}).clean
    assert account(**{what: ["x"]}).as_json()["clean"] is False


def test_the_screen_shows_the_first_problems_and_the_verdict() -> None:
    shown = io.StringIO()
    show(account(lost=[f"frame-{n}" for n in range(12)]), Console(file=shown, width=120))
    text = shown.getvalue()
    assert "frame-9" in text
    assert "frame-10" not in text
    assert "it does not add up" in text
    shown = io.StringIO()
    show(account(), Console(file=shown, width=120))
    assert "nothing lost, nothing wrong, no difference" in shown.getvalue()
