"""Commands against the holdings: what each changes, and that a repeat changes nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from recognition.cluster import UNCLUSTERED, UNSHARDED
from schemas.errors import BadInput
from schemas.gallery import (
    Action,
    Change,
    Erase,
    Erased,
    GalleryCommand,
    GalleryEntry,
    Move,
    Quarantine,
    Restore,
    Status,
)
from streams.gallery.commands import Planner
from streams.gallery.holdings import Holdings
from tests.gallery_entries import CAPTURED, command, enrol, entry, plain_holdings

WINTER = {"season": "winter"}


@pytest.fixture
def holdings() -> Holdings:
    """Two oaks and an elm, and an oak in quarantine."""
    return after(
        plain_holdings(),
        [
            entry("oak-1", "oak", [1, 0]),
            entry("oak-2", "oak", [1, 1]),
            entry("oak-q", "oak", [1, 2], status=Status.QUARANTINED),
            entry("elm-1", "elm", [0, 1]),
        ],
    )


def after(holdings: Holdings, changes: Iterable[Change]) -> Holdings:
    for change in changes:
        holdings.apply(change, holdings.position + 1)
    return holdings


def plan(
    asked: GalleryCommand, holdings: Holdings, shard_by: Sequence[str] = ()
) -> dict[str, Change]:
    """Return the changes by entry id; each entry changes at most once."""
    changes = Planner(tuple(shard_by)).plan(asked, holdings)
    assert len({change.entry_id for change in changes}) == len(changes)
    return {change.entry_id: change for change in changes}


def statuses(changes: dict[str, Change]) -> dict[str, Status]:
    return {i: c.status for i, c in changes.items() if isinstance(c, GalleryEntry)}


def identities(changes: dict[str, Change]) -> dict[str, str]:
    return {i: c.identity for i, c in changes.items() if isinstance(c, GalleryEntry)}


def test_enrolling_makes_an_active_entry_with_all_that_was_said(holdings: Holdings) -> None:
    asked = enrol("new", "ash", [3, 4], background=WINTER, source="cam-9")
    (made,) = plan(asked, holdings).values()
    assert isinstance(made, GalleryEntry)
    assert (made.entry_id, made.identity, made.status) == ("new", "ash", Status.ACTIVE)
    assert (made.actor, made.reason) == ("ann", "test")
    assert (made.background, made.source, made.captured_at) == (WINTER, "cam-9", CAPTURED)
    assert made.vector.tolist() == pytest.approx([0.6, 0.8])
    assert made.cluster == UNSHARDED


@pytest.mark.parametrize(
    ("background", "cluster"),
    [(WINTER, "season=winter"), ({"light": "day"}, UNCLUSTERED), ({}, UNCLUSTERED)],
)
def test_the_background_tells_the_cluster(
    holdings: Holdings, background: dict[str, Any], cluster: str
) -> None:
    asked = enrol("new", "ash", [1, 0], background=background)
    (made,) = plan(asked, holdings, ["season"]).values()
    assert isinstance(made, GalleryEntry)
    assert made.cluster == cluster


def test_enrolling_a_known_entry_for_another_identity_moves_it(holdings: Holdings) -> None:
    assert identities(plan(enrol("oak-1", "elm", [1, 0]), holdings)) == {"oak-1": "elm"}


def test_enrolling_again_does_not_undo_a_quarantine(holdings: Holdings) -> None:
    assert plan(enrol("oak-q", "oak", [1, 2]), holdings) == {}


@pytest.mark.parametrize("vector", [[1, 0, 0], [1]])
def test_a_vector_of_another_size_than_its_models_is_refused(
    holdings: Holdings, vector: list[float]
) -> None:
    with pytest.raises(BadInput, match=r"entries of test@0* have 2") as caught:
        plan(enrol("new", "oak", vector), holdings)
    assert caught.value.reason == "bad_vector"


def test_another_model_may_have_another_size(holdings: Holdings) -> None:
    assert set(plan(enrol("new", "oak", [1, 0, 0], model="other@1"), holdings)) == {"new"}


@pytest.mark.parametrize("length", [0.0, 0.5, 2.0, 1e30])
def test_a_vector_that_is_not_of_norm_one_is_refused(holdings: Holdings, length: float) -> None:
    """Once on the ``gallery`` topic, a zero vector would fail the agent at each new start."""
    action = enrol("new", "oak", [1, 0]).action
    scaled = action.model_copy(update={"vector": np.array([length, 0], np.float32)})
    with pytest.raises(BadInput, match="norm") as caught:
        plan(command("oak", scaled), holdings)
    assert caught.value.reason == "bad_vector"


def test_quarantine_takes_all_active_entries_of_the_identity(holdings: Holdings) -> None:
    changes = plan(command("oak", Quarantine()), holdings)
    assert statuses(changes) == {"oak-1": Status.QUARANTINED, "oak-2": Status.QUARANTINED}
    assert {c.actor for c in changes.values() if isinstance(c, GalleryEntry)} == {"ann"}


def test_restore_brings_back_what_is_in_quarantine(holdings: Holdings) -> None:
    changes = plan(command("oak", Restore()), holdings)
    assert statuses(changes) == {"oak-q": Status.ACTIVE}


@pytest.mark.parametrize(
    "action", [Quarantine(entry_ids=("oak-2",)), Restore(entry_ids=("oak-q",))]
)
def test_entries_can_be_named(holdings: Holdings, action: Quarantine | Restore) -> None:
    assert tuple(plan(command("oak", action), holdings)) == action.entry_ids


@pytest.mark.parametrize("kind", ["rename", "merge"])
def test_a_rename_moves_all_and_leaves_each_as_it_was(holdings: Holdings, kind: Any) -> None:
    changes = plan(command("oak", Move(action=kind, to="elm")), holdings)
    assert identities(changes) == {"oak-1": "elm", "oak-2": "elm", "oak-q": "elm"}
    assert statuses(changes)["oak-q"] is Status.QUARANTINED
    assert statuses(changes)["oak-1"] is Status.ACTIVE


def test_a_split_moves_some(holdings: Holdings) -> None:
    action = Move(action="split", to="ash", entry_ids=("oak-2",))
    assert identities(plan(command("oak", action), holdings)) == {"oak-2": "ash"}


def test_erase_takes_everything_quarantined_entries_too(holdings: Holdings) -> None:
    asked = command("oak", Erase())
    changes = plan(asked, holdings)
    assert changes == {i: Erased(i, asked.decided_at) for i in ("oak-1", "oak-2", "oak-q")}


def test_erase_takes_what_is_named(holdings: Holdings) -> None:
    asked = command("oak", Erase(entry_ids=("oak-1",)))
    assert plan(asked, holdings) == {"oak-1": Erased("oak-1", asked.decided_at)}


@pytest.mark.parametrize(
    "action",
    [
        Quarantine(entry_ids=("oak-1", "elm-1")),
        Restore(entry_ids=("elm-1",)),
        Move(action="split", to="ash", entry_ids=("elm-1",)),
    ],
)
def test_naming_an_entry_of_another_identity_is_a_mistake(
    holdings: Holdings, action: Action
) -> None:
    with pytest.raises(BadInput, match="'oak' has no entry 'elm-1'") as caught:
        plan(command("oak", action), holdings)
    assert caught.value.reason == "unknown_entry"


@pytest.mark.parametrize(
    "action", [Quarantine(), Restore(), Move(action="rename", to="elm"), Erase()]
)
def test_an_identity_that_nobody_has_changes_nothing(holdings: Holdings, action: Action) -> None:
    assert plan(command("fir", action), holdings) == {}


@pytest.mark.parametrize(
    "asked",
    [
        enrol("new", "ash", [1, 0]),
        enrol("oak-1", "elm", [1, 0]),
        command("oak", Quarantine()),
        command("oak", Quarantine(entry_ids=("oak-1",))),
        command("oak", Restore()),
        command("oak", Restore(entry_ids=("oak-q",))),
        command("oak", Move(action="rename", to="elm")),
        command("oak", Move(action="split", to="ash", entry_ids=("oak-1",))),
        command("oak", Erase()),
        command("oak", Erase(entry_ids=("oak-1",))),
    ],
    ids=lambda asked: type(asked.action).__name__,
)
def test_a_command_that_is_repeated_plans_nothing(
    holdings: Holdings, asked: GalleryCommand
) -> None:
    """Delivery is at least once: the second time must be no change, and no dead letter either."""
    first = plan(asked, holdings)
    assert first
    assert plan(asked, after(holdings, first.values())) == {}


def test_a_move_to_where_it_is_plans_nothing(holdings: Holdings) -> None:
    assert plan(command("oak", Move(action="merge", to="oak")), holdings) == {}


def sizes(*entries: GalleryEntry) -> Holdings:
    return after(plain_holdings(), entries)


def test_one_enrolment_of_the_wrong_size_makes_way() -> None:
    """Two sizes and one entry: nobody can say which is right, but the newer one is wanted."""
    holdings = sizes(entry("wrong", "oak", [1, 0]))
    out, made = Planner(()).plan(enrol("right", "oak", [1, 0, 0]), holdings)
    assert isinstance(out, GalleryEntry)
    assert (out.entry_id, out.status, out.actor) == ("wrong", Status.QUARANTINED, "gallery")
    assert out.reason == "it has 2 numbers, and right of the same model has 3"
    assert made.entry_id == "right"
    after(holdings, [out, made])
    assert holdings.dimension(made.model if isinstance(made, GalleryEntry) else "") == 3


def test_two_entries_tell_the_size_of_a_model() -> None:
    holdings = sizes(entry("a", "oak", [1, 0]), entry("b", "oak", [0, 1]))
    with pytest.raises(BadInput, match="have 2"):
        plan(enrol("new", "oak", [1, 0, 0]), holdings)


def test_an_entry_in_quarantine_or_erased_binds_nobody() -> None:
    for change in (entry("a", "oak", [1, 0], status=Status.QUARANTINED), Erased("a", CAPTURED)):
        holdings = after(sizes(entry("a", "oak", [1, 0])), [change])
        assert holdings.dimension(entry("a", "oak", [1, 0]).model) is None
        assert set(plan(enrol("new", "oak", [1, 0, 0]), holdings)) == {"new"}


def test_an_entry_that_moves_may_bring_another_size_if_it_stands_alone() -> None:
    holdings = sizes(entry("a", "oak", [1, 0]))
    assert set(plan(enrol("a", "elm", [1, 0, 0]), holdings)) == {"a"}


def test_an_entry_of_another_size_is_not_restored() -> None:
    holdings = sizes(
        entry("a", "oak", [1, 0], status=Status.QUARANTINED), entry("b", "oak", [1, 0, 0])
    )
    with pytest.raises(BadInput, match=r"a has 2 numbers; active entries of test@0* have 3"):
        plan(command("oak", Restore()), holdings)
    holdings = sizes(
        *(entry(i, "oak", v, status=Status.QUARANTINED) for i, v in (("a", [1, 0]), ("b", [1] * 3)))
    )
    with pytest.raises(BadInput, match="b has 3"):
        plan(command("oak", Restore()), holdings)
