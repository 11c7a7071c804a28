"""Two processes that each believe the gallery is theirs: the log decides."""

import pytest

from schemas.errors import DependencyDown
from schemas.gallery import Change, Erased
from schemas.records import Record
from streams.kafka.term_log import TermLog
from tests.fake_log import FakeLog
from tests.gallery_entries import CAPTURED, entry

OAK, ELM, FIR = entry("a", "oak", [1, 0]), entry("b", "elm", [0, 1]), entry("c", "fir", [1, 1])
ASH = OAK.model_copy(update={"identity": "ash"})


def allowed() -> None:
    """The consumer group says that we own the gallery."""


def said(log: FakeLog) -> dict[str, str]:
    return {i: e.identity for i, e in log.fold().entries.items()}


async def claimed(log: FakeLog) -> TermLog:
    owner = log.owner()
    await owner.claim(allowed)
    return owner


async def test_what_is_appended_is_read_back_with_its_offset(log: FakeLog) -> None:
    owner = await claimed(log)
    assert owner.term == 1
    applied = await owner.append([OAK, ELM])
    assert [(change.entry_id, offset) for change, offset in applied] == [("a", 1), ("b", 2)]
    assert await owner.check() == []


async def test_terms_go_on_from_the_highest_in_the_log(log: FakeLog) -> None:
    for term in (1, 2, 3):
        assert (await claimed(log)).term == term
    log.compact()
    assert (await claimed(log)).term == 4


async def test_an_owner_that_was_paused_writes_in_vain_and_is_told(log: FakeLog) -> None:
    paused = await claimed(log)
    await paused.append([OAK])
    second = await claimed(log)
    await second.append([ASH, ELM])
    with pytest.raises(DependencyDown, match="claimed term 2"):
        await paused.append([OAK, FIR])
    assert paused.term is None
    assert said(log) == {"a": "ash", "b": "elm"}
    with pytest.raises(DependencyDown):
        await paused.append([FIR])
    assert len(log.kept) == 7, "the second time nothing was written"


async def test_the_owner_writes_the_truth_again_so_that_compaction_keeps_it(log: FakeLog) -> None:
    paused = await claimed(log)
    await paused.append([OAK])
    second = await claimed(log)
    await second.append([ASH])
    with pytest.raises(DependencyDown):
        await paused.append([OAK, FIR])
    await second.append([ELM])
    log.compact()
    third = await claimed(log)
    assert said(log) == {"a": "ash", "b": "elm"}
    assert third.term == 3


async def test_of_two_that_claim_at_once_one_has_the_lower_term(
    log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = log.owner(), log.owner()
    publish = log._publish
    raced = False

    async def late(records: list[Record]) -> list[int]:
        nonlocal raced
        if not raced:
            raced = True
            await second.claim(allowed)
        return await publish(records)

    monkeypatch.setattr(first, "_publish", late)
    await first.claim(allowed)
    assert (first.term, second.term) == (2, 1)
    with pytest.raises(DependencyDown, match="claimed term 2"):
        await second.append([OAK])
    assert said(log) == {}


async def test_a_claim_ends_where_the_group_gives_the_gallery_to_another(log: FakeLog) -> None:
    def forbidden() -> None:
        raise DependencyDown("kafka", "taken away")

    with pytest.raises(DependencyDown, match="taken away"):
        await log.owner().claim(forbidden)
    assert log.kept == []


async def test_the_mark_of_an_erased_id_lies_before_its_tombstone(log: FakeLog) -> None:
    owner = await claimed(log)
    await owner.append([OAK])
    applied = await owner.append([Erased("a", CAPTURED)])
    assert [change for change, _ in applied] == [Erased("a")]
    assert [(r.key or b"").split(b":")[0] for r in log.kept] == [
        b"term",
        b"entry",
        b"erased",
        b"entry",
    ]
    log.compact()
    assert log.fold().erasures.at("a") == CAPTURED
    assert (await claimed(log)).fold.erasures.at("a") == CAPTURED


async def test_what_was_written_before_an_acknowledgement_was_lost_is_told_next_time(
    log: FakeLog,
) -> None:
    owner = await claimed(log)
    log.lost_acknowledgements = [DependencyDown("kafka", "gone")]
    with pytest.raises(DependencyDown):
        await owner.append([OAK])
    told: list[Change] = [change for change, _ in await owner.append([ELM])]
    assert [change.entry_id for change in told] == ["a", "b"]


async def test_a_record_that_cannot_be_read_is_set_aside_once(log: FakeLog) -> None:
    owner = await claimed(log)
    await owner.append([OAK])
    log.put(Record("gallery", b"entry:b", b"{", (("term", b"1"),)))
    log.put(Record("gallery", b"entry:a", b"no entry"))
    for change in (ELM, FIR):
        await owner.append([change])
    assert [letter.header("dead_offset") for letter in log.letters] == ["2", "3"]
    assert said(log) == {"a": "oak", "b": "elm", "c": "fir"}
    log.compact()
    assert said(log) == {"a": "oak", "b": "elm", "c": "fir"}, "the stranger displaced nothing"
