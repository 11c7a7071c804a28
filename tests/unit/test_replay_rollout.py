"""What is asked for when a conditioning is rolled out, switched off and taken back."""

from pathlib import Path

import numpy as np
import pytest

from client import activation
from client.activation import (
    Present,
    active_of,
    await_active,
    back,
    check,
    to_artefact,
    to_plain,
    words_of,
)
from schemas.conditioning import Activation, ArtefactRef, PreviousArtefact
from schemas.errors import DependencyDown, SetupError
from schemas.gallery import GalleryEntry
from streams.conditioning.artefact import load_artefact
from streams.index.base import GalleryState
from streams.index.memory import MemoryIndex
from tests.conditionings import saved
from tests.gallery_entries import entry
from tests.services.kafka import embedding
from tests.unit.replayed import SIZE, active, probes


def after(record: Activation, was: ArtefactRef | None) -> Present:
    """Return what is there once a record has been carried out."""
    now = record.artefact
    assert now != was
    return Present(now, record)


def test_a_folder_is_named_by_an_absolute_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "a b")
    monkeypatch.chdir(tmp_path)
    artefact, state = active_of(Path("a b"))
    assert state.uri == f"{tmp_path.as_uri()}/a%20b"
    assert load_artefact(state.uri).version == artefact.version == state.version
    assert words_of(state) == f"light {state.version}"
    with pytest.raises(SetupError, match="No such file"):
        active_of(Path("nowhere"))


def test_back_twice_toggles(tmp_path: Path) -> None:
    one, two = active(tmp_path / "1"), active(tmp_path / "2", name="other", fpir=0.1)
    first = to_artefact(one, Present(None, None))
    assert first.changes(Present(None, None))
    there = after(first.record("ann"), None)
    assert there.active == one
    assert not first.changes(there)
    there = after(to_artefact(two, there).record("ann"), one)
    for expected in (one, two, one):
        was = there.active
        there = after(back(there).record("ann"), was)
        assert there.active == expected
        assert there.asked is not None
        assert there.asked.previous == PreviousArtefact.of(was)


def test_back_leads_to_plain_and_from_it(tmp_path: Path) -> None:
    state = active(tmp_path)
    there = after(to_artefact(state, Present(None, None)).record("ann"), None)
    there = after(back(there).record("ann"), state)
    assert there.active is None
    assert after(back(there).record("ann"), None).active == state
    off = to_plain(Present(state, None))
    assert (off.name, off.record("bo").artefact_before, off.record("bo").actor) == (
        *("light", state),
        "bo",
    )
    assert to_plain(Present(None, None)).name == "plain"
    assert words_of(None) == "plain"


def test_nothing_to_go_back_to(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="nothing was ever activated"):
        back(Present(None, None))
    state = active(tmp_path)
    record = to_plain(Present(state, None)).record("ann")
    saved(tmp_path, fpir=0.2)
    with pytest.raises(SetupError, match=rf"held version {state.version} and now holds"):
        back(Present(None, record))


def test_what_was_asked_for_in_vain_can_be_asked_away(tmp_path: Path) -> None:
    """The index lies plainly while an artefact is wanted that cannot be loaded."""
    record = to_artefact(active(tmp_path), Present(None, None)).record("ann")
    stuck = Present(None, record)
    assert to_plain(stuck).changes(stuck)
    assert back(stuck).changes(stuck)


def test_an_artefact_must_be_for_embeddings_that_there_are(tmp_path: Path) -> None:
    artefact = saved(tmp_path)  # for 8 numbers
    nothing: list[GalleryEntry] = []
    check(artefact, nothing, [])
    check(artefact, [entry("e", "id", np.ones(8))], probes(1))
    check(artefact, [entry("e", "id", np.ones(4), model="b@1")], [embedding("p", np.ones(8))])
    with pytest.raises(SetupError, match=r"gallery and recent embeddings have a@1, b@1: `perenni"):
        check(artefact, [entry("e", "id", [1, 0], model="b@1")], [embedding("p", [1], model="a@1")])
    with pytest.raises(SetupError, match=rf"8 numbers, but those of .* have {SIZE}"):
        check(artefact, nothing, probes(1))


async def test_it_waits_until_the_index_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation, "LOOK_EVERY_S", 0.001)
    state, looks = active(tmp_path), 0

    class Slow(MemoryIndex):
        async def state(self) -> GalleryState | None:
            nonlocal looks
            looks += 1
            if looks == 1:
                return None
            wanted = None if looks == 2 else state
            return GalleryState(epoch="e", position=0, models={}, conditioning=wanted)

    await await_active(Slow(), state, 60)
    assert looks == 3
    with pytest.raises(DependencyDown, match="is `perennial streams` up, and can it read file://"):
        await await_active(MemoryIndex(), state, 0)
    with pytest.raises(DependencyDown, match=r"is `perennial streams` up\? Its log tells"):
        await await_active(MemoryIndex(), None, 0)
