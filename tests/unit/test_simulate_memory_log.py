"""The gallery's topic in memory."""

from lab.simulate.system import MemoryLog
from schemas.gallery import Erased, Status
from tests.gallery_entries import CAPTURED, entry

OAK, ELM = entry("a", "oak", [1, 0]), entry("b", "elm", [0, 1])
OUT = OAK.model_copy(update={"status": Status.QUARANTINED, "actor": "retention"})


async def test_it_gives_back_what_was_appended_with_the_offsets() -> None:
    log = MemoryLog()
    await log.claim(lambda: None)
    assert log.term == 1
    assert await log.append([OAK, ELM]) == [(OAK, 0), (ELM, 1)]
    assert await log.append([Erased("a", CAPTURED)]) == [(Erased("a", CAPTURED), 2)]
    assert await log.check() == []
    assert log.fold.entries == {"b": ELM}
    assert (log.fold.erasures.at("a"), log.fold.erasures.at("b")) == (CAPTURED, None)


async def test_enrolled_is_who_has_an_active_entry() -> None:
    log = MemoryLog()
    await log.append([OAK, ELM])
    assert list(log.enrolled) == ["oak", "elm"]
    await log.append([OUT])
    assert list(log.enrolled) == ["elm"]
    await log.append([OAK, ELM.model_copy(update={"identity": "oak"})])
    assert list(log.enrolled) == ["oak"]
    await log.append([Erased("a")])
    assert list(log.enrolled) == ["oak"]
    await log.append([Erased("b"), Erased("never there")])
    assert list(log.enrolled) == []


async def test_entries_are_the_last_and_enrolments_the_first_of_each() -> None:
    log = MemoryLog()
    await log.append([OAK, ELM, OUT])
    assert {one.entry_id: one.actor for one in log.entries} == {"a": "retention", "b": "ann"}
    assert {one.entry_id: one.actor for one in log.enrolments} == {"a": "ann", "b": "ann"}
