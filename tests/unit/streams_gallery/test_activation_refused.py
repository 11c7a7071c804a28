"""A conditioning that cannot be had: nothing changes, it is told, and tried again."""

from pathlib import Path

import pytest

from schemas.conditioning import Activation, ArtefactRef, PreviousArtefact
from schemas.errors import DependencyDown
from streams.conditioning.artefact import ARRAYS, PAGE
from streams.gallery.agent import GalleryAgent
from streams.index.base import GalleryState
from tests.conditionings import activation, conditioning, saved
from tests.fake_log import FakeConditionings
from tests.gallery_entries import MODEL, enrol
from tests.unit.streams_gallery.agent import AXES, FragileIndex, Make, sent

OAK, ELM = enrol("oak", "oak", AXES[0]), enrol("elm", "elm", AXES[1])


@pytest.fixture
def asked(tmp_path: Path, conditionings: FakeConditionings) -> Path:
    """Somebody asks for the conditioning in this folder."""
    saved(tmp_path / "light", conditioning(4))
    conditionings.records = [activation(tmp_path / "light")]
    return tmp_path / "light"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another conditioning."""
    saved(tmp_path / "other", conditioning(4, seed=1))
    return tmp_path / "other"


async def plain(make: Make, conditionings: FakeConditionings) -> GalleryAgent:
    """Return an agent that holds the oak, and began before anything was asked for."""
    records, conditionings.records = conditionings.records, []
    agent = make()
    await agent.handle(sent(OAK))
    conditionings.records = records
    return agent


def version(state: GalleryState) -> str | None:
    return None if state.conditioning is None else state.conditioning.version


def remove(folder: Path) -> Path:
    """Take the files away, as a share does that is not mounted; return where they are."""
    return folder.rename(folder.with_suffix(".away"))


def damage(folder: Path, name: str = ARRAYS) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


def after(record: Activation, before: Path) -> Activation:
    """Return the record, with what was active before it."""
    was = activation(before).artefact
    assert was is not None
    return record.model_copy(update={"previous": PreviousArtefact.of(was)})


@pytest.mark.parametrize("name", [PAGE, ARRAYS])
@pytest.mark.parametrize("missing", [True, False])
async def test_the_gallery_goes_on_as_it_is_until_it_can_be_had(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, asked: Path,
    monkeypatch: pytest.MonkeyPatch, name: str, missing: bool,
) -> None:  # fmt: skip
    wanted = activation(asked).version
    agent = await plain(make, conditionings)
    whole = (asked / name).read_bytes()
    if missing:
        (asked / name).unlink()
    else:
        damage(asked, name)
    await agent.on_activation_request([])
    for _ in range(3):
        with pytest.raises(DependencyDown, match=name.split(".")[0]) as told:
            await agent.tick()
        assert told.value.dependency == "conditioning"
    await agent.handle(sent(ELM))
    assert set(await index.held()) == {"oak", "elm"}
    assert version(await index.named()) is None
    (asked / name).write_bytes(whole)
    with pytest.raises(DependencyDown):
        await agent.tick()
    await agent.on_activation_request([])  # nothing new: no reason to hurry
    with pytest.raises(DependencyDown):
        await agent.tick()
    monkeypatch.setattr("streams.gallery.activation.monotonic", lambda: 1e12)
    await agent.tick()
    assert version(await index.named()) == wanted
    await agent.tick()


async def test_who_asks_for_another_is_heard_at_once(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, asked: Path, other: Path
) -> None:
    damage(asked)
    agent = make()
    await agent.handle(sent(OAK))
    with pytest.raises(DependencyDown):
        await agent.tick()
    conditionings.records.append(activation(other))
    await agent.on_activation_request([])
    await agent.tick()
    assert version(await index.named()) == conditionings.records[-1].version


async def test_vectors_of_another_size_are_refused(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, tmp_path: Path
) -> None:
    saved(tmp_path / "wide", conditioning(6))
    conditionings.records = [activation(tmp_path / "wide")]
    agent = await plain(make, conditionings)
    await agent.on_activation_request([])
    with pytest.raises(DependencyDown, match=f"6 numbers; entries of {MODEL} have 4"):
        await agent.tick()
    assert version(await index.named()) is None


async def test_one_that_cannot_place_the_entries_is_refused(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, asked: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fail(*_: object) -> None:
        raise ValueError("no direction")

    monkeypatch.setattr("streams.conditioning.placement.place", fail)
    agent = await plain(make, conditionings)
    await agent.on_activation_request([])
    with pytest.raises(DependencyDown, match="conditioning: no direction"):
        await agent.tick()
    await agent.handle(sent(ELM))
    assert set(await index.held()) == {"oak", "elm"}


@pytest.mark.parametrize("change", [{"version": "000000000000"}, {"model": "other@1"}])
async def test_a_record_that_names_another_artefact_than_lies_there_is_refused(
    make: Make, conditionings: FakeConditionings, asked: Path, change: dict[str, str]
) -> None:
    conditionings.records = [activation(asked).model_copy(update=change)]
    agent = make()
    await agent.handle(sent(OAK))
    with pytest.raises(DependencyDown, match=f"not {'0' * 12 if 'version' in change else ''}"):
        await agent.tick()


async def test_a_process_that_starts_goes_on_as_the_index_is(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, asked: Path, other: Path
) -> None:
    await make().handle(sent(OAK))
    first = make()
    await first.tick()
    before = await index.named()
    damage(other)
    conditionings.records.append(
        activation(asked).model_copy(update={"version": "f" * 12, "uri": other.as_uri()})
    )
    second = make()
    await second.handle(sent(ELM))
    assert set(await index.held()) == {"oak", "elm"}
    assert version(await index.named()) == version(before)
    with pytest.raises(DependencyDown, match=str(other)):
        await second.tick()


async def test_what_is_active_is_waited_for_when_a_process_starts(
    make: Make, index: FragileIndex, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make().handle(sent(OAK))
    await make().tick()
    before = await index.named()
    away = remove(asked)
    agent = make()
    for _ in range(2):
        with pytest.raises(DependencyDown, match="No such file"):
            await agent.handle(sent(ELM))
    assert await index.named() == before
    away.rename(asked)
    monkeypatch.setattr("streams.gallery.activation.monotonic", lambda: 1e12)
    await agent.handle(sent(ELM))
    assert version(await index.named()) == version(before)
    assert set(await index.held()) == {"oak", "elm"}


async def test_what_is_active_and_gone_for_good_gives_way_to_what_is_wanted(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, asked: Path, other: Path
) -> None:
    await make().handle(sent(OAK))
    await make().tick()
    remove(asked)
    agent = make()
    with pytest.raises(DependencyDown):
        await agent.tick()
    conditionings.records.append(activation(other))
    await agent.on_activation_request([])
    await agent.tick()
    assert version(await index.named()) == conditionings.records[-1].version
    assert set(await index.held()) == {"oak"}


async def test_without_an_index_a_missing_one_is_waited_for(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, asked: Path, other: Path
) -> None:
    """The share is mounted a little later: nobody is answered by another conditioning meanwhile."""
    conditionings.records = [after(activation(asked), other)]
    away = remove(asked)
    with pytest.raises(DependencyDown, match="No such file"):
        await make().tick()
    assert await index.state() is None
    away.rename(asked)
    await make().tick()
    assert version(await index.named()) == conditionings.records[-1].version


@pytest.mark.parametrize("previous", [True, False])
async def test_without_an_index_a_damaged_one_gives_way_to_what_was_before(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, asked: Path, other: Path,
    previous: bool,
) -> None:  # fmt: skip
    wanted = activation(asked)
    was: ArtefactRef | None = activation(other).artefact if previous else None
    conditionings.records = [wanted.model_copy(update={"previous": PreviousArtefact.of(was)})]
    damage(asked)
    agent = make()
    await agent.handle(sent(OAK))
    assert version(await index.named()) == (None if was is None else was.version)
    with pytest.raises(DependencyDown, match=ARRAYS):
        await agent.tick()
    assert set(await index.held()) == {"oak"}
