"""Commands that come late, or again: what was decided since stays."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from schemas.errors import BadInput
from schemas.event import now
from schemas.gallery import Action, Change, Erase, Erased, GalleryCommand, Move, Quarantine, Restore
from streams.gallery.commands import MAX_AHEAD, Overtaken, Planner, overtaken
from streams.gallery.holdings import Holdings
from tests.gallery_entries import CAPTURED, command, enrol, entry, plain_holdings

PLANNER = Planner(())


def day(number: int) -> datetime:
    return CAPTURED + timedelta(days=number)


def at(number: int, asked: GalleryCommand) -> GalleryCommand:
    return asked.model_copy(update={"decided_at": day(number)})


def carried_out(holdings: Holdings, commands: Iterable[GalleryCommand]) -> Holdings:
    for asked in commands:
        take(holdings, PLANNER.plan(asked, holdings))
    return holdings


def take(holdings: Holdings, changes: Iterable[Change]) -> None:
    for change in changes:
        holdings.apply(change, holdings.position + 1)


def identities(holdings: Holdings) -> dict[str, str]:
    return {held.entry_id: held.identity for held in holdings}


def test_an_erased_entry_does_not_come_back_with_a_repeat() -> None:
    first = [at(1, enrol("a", "oak", [1, 0])), at(2, command("oak", Erase()))]
    holdings = carried_out(plain_holdings(), first)
    carried_out(holdings, first)
    assert identities(holdings) == {}
    assert overtaken(first[0], holdings) == {"a": Overtaken.ERASED}
    assert overtaken(first[1], holdings) == {}


def test_who_decides_after_the_erasure_enrols_again() -> None:
    first = [at(1, enrol("a", "oak", [1, 0])), at(2, command("oak", Erase()))]
    again = at(3, enrol("a", "oak", [1, 0]))
    holdings = carried_out(plain_holdings(), [*first, again, *first])
    assert identities(holdings) == {"a": "oak"}


def test_a_repeat_undoes_no_rename() -> None:
    commands = [
        at(1, enrol("a", "oak", [1, 0])),
        at(2, enrol("a", "elm", [1, 0])),
        at(3, command("elm", Move(action="rename", to="fir"))),
        at(4, command("fir", Move(action="split", to="ash", entry_ids=("a",)))),
    ]
    holdings = carried_out(plain_holdings(), [*commands, *commands])
    assert identities(holdings) == {"a": "ash"}
    assert overtaken(commands[0], holdings) == {"a": Overtaken.CHANGED}


def test_a_repeat_touches_nothing_that_came_after_it() -> None:
    rename = at(2, command("oak", Move(action="rename", to="elm")))
    holdings = carried_out(plain_holdings(), [at(1, enrol("a", "oak", [1, 0])), rename])
    carried_out(holdings, [at(3, enrol("b", "oak", [0, 1])), rename])
    assert identities(holdings) == {"a": "elm", "b": "oak"}
    assert overtaken(rename, holdings) == {"b": Overtaken.CHANGED}


def test_a_repeat_restores_nothing_that_was_put_in_quarantine_since() -> None:
    commands = [
        at(1, enrol("a", "oak", [1, 0])),
        at(2, command("oak", Quarantine())),
        at(3, command("oak", Restore())),
        at(4, command("oak", Quarantine())),
    ]
    holdings = carried_out(plain_holdings(), [*commands, *commands])
    assert [held.status for held in holdings] == ["quarantined"]


def test_an_erasure_that_overtakes_its_enrolment_is_final() -> None:
    erase = at(2, command("oak", Erase(entry_ids=("a",))))
    late = at(1, enrol("a", "oak", [1, 0]))
    holdings = carried_out(plain_holdings(), [erase, late])
    assert identities(holdings) == {}
    assert PLANNER.plan(erase, holdings) == []


def test_retention_does_not_count_as_a_decision() -> None:
    held = entry("a", "oak", [1, 0], decided_at=day(1), status="quarantined", actor="retention")
    holdings = plain_holdings()
    holdings.apply(held, 0)
    (restored,) = PLANNER.plan(at(2, command("oak", Restore())), holdings)
    assert not isinstance(restored, Erased)
    assert restored.decided_at == day(2)


@pytest.mark.parametrize(
    "action", [Move(action="split", to="ash", entry_ids=("a",)), Quarantine(entry_ids=("a",))]
)
def test_a_repeat_about_an_entry_that_has_gone_elsewhere_is_no_mistake(action: Action) -> None:
    first = [at(1, enrol("a", "oak", [1, 0])), at(2, command("oak", action))]
    away = at(3, enrol("a", "fir", [1, 0]))
    holdings = carried_out(plain_holdings(), [*first, away, *first])
    assert identities(holdings) == {"a": "fir"}


def test_a_decision_of_the_future_is_refused() -> None:
    early = enrol("a", "oak", [1, 0]).model_copy(
        update={"decided_at": now() + MAX_AHEAD + timedelta(minutes=1)}
    )
    with pytest.raises(BadInput, match="yet to come") as caught:
        PLANNER.plan(early, plain_holdings())
    assert caught.value.reason == "bad_time"
