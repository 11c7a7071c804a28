"""The holdings: entries by id, by identity, by group, and the state of their shards."""

from datetime import timedelta

import pytest

from recognition.cluster import EVERYWHERE
from recognition.retain import Removal, RetentionRule
from recognition.tail import open_set_threshold
from schemas.gallery import Erased, Status
from streams.gallery.holdings import Holdings
from streams.index.base import ShardState
from tests.gallery_entries import CAPTURED, MODEL, entry, plain_holdings

SUMMER, WINTER = ({"background": {"season": season}} for season in ("summer", "winter"))
IN_SUMMER, IN_WINTER = "season=summer", "season=winter"


@pytest.fixture
def holdings() -> Holdings:
    """Oak and elm at a right angle in summer, an ash between them in winter."""
    made = plain_holdings(0.3, "season")
    made.apply(entry("oak-1", "oak", [1, 0], **SUMMER), 0)
    made.apply(entry("elm-1", "elm", [0, 1], **SUMMER), 1)
    made.apply(entry("ash-1", "ash", [3, 4], **WINTER), 2)
    return made


def test_new_holdings_are_empty() -> None:
    made = plain_holdings()
    assert (len(made), made.position, list(made), made.placed.groups()) == (0, -1, [], [])
    assert made.state("one").models == {}
    assert made.get("x") is None
    assert made.of_identity("x") == []
    assert made.dimension(MODEL) is None


def test_the_state_counts_each_shard_and_all_of_them(holdings: Holdings) -> None:
    state = holdings.state("one")
    assert (state.epoch, state.position) == ("one", 2)
    shards = state.models[MODEL]
    # Oak and elm are each other's nearest: one distance, no spread.
    assert shards[IN_SUMMER] == ShardState(entries=2, identities=2, threshold=None)
    assert shards[IN_WINTER] == ShardState(entries=1, identities=1, threshold=None)
    everywhere = shards[EVERYWHERE]
    assert (everywhere.entries, everywhere.identities) == (3, 3)
    expected = open_set_threshold([0.4, 0.2, 0.2], ["oak", "elm", "ash"], 0.3)
    assert everywhere.threshold == pytest.approx(expected)


def test_quarantined_entries_are_held_but_not_matched(holdings: Holdings) -> None:
    holdings.apply(entry("ash-1", "ash", [3, 4], **WINTER, status=Status.QUARANTINED), 3)
    assert len(holdings) == 3
    assert [e.entry_id for e in holdings.of_identity("ash")] == ["ash-1"]
    assert set(holdings.state("one").models[MODEL]) == {IN_SUMMER, EVERYWHERE}
    assert {group[1] for group in holdings.placed.groups()} == {IN_SUMMER}


def test_the_erased_are_gone(holdings: Holdings) -> None:
    for position, entry_id in enumerate(("oak-1", "elm-1", "ash-1", "never-seen"), 3):
        holdings.apply(Erased(entry_id), position)
    assert (len(holdings), holdings.position) == (0, 6)
    assert holdings.of_identity("oak") == []
    assert holdings.state("one").models == {}


def test_a_position_never_goes_back(holdings: Holdings) -> None:
    holdings.apply(entry("oak-1", "oak", [1, 0], **SUMMER), 0)
    assert holdings.position == 2
    assert holdings.state("one").models[MODEL][IN_SUMMER].entries == 2


def test_retention_weighs_an_identity_within_its_cluster(holdings: Holdings) -> None:
    for day in range(3):
        for season in ("summer", "winter"):
            held = entry(
                f"oak-{season}-{day}",
                "oak",
                [1, day],
                background={"season": season},
                captured_at=CAPTURED + timedelta(days=day + 1),
            )
            holdings.apply(held, holdings.position + 1)
    rule = RetentionRule(newest=2, mad_cutoff=None)
    oldest = {"oak-1", "oak-summer-0", "oak-winter-0"}
    later = CAPTURED + timedelta(days=9)
    removals = holdings.to_retire(holdings.placed.groups(), rule, later)
    assert removals == dict.fromkeys(oldest, Removal.COUNT)
    assert holdings.to_retire([], rule, later) == {}
    assert holdings.to_retire([(MODEL, IN_WINTER, "oak")], rule, later) == {
        "oak-winter-0": Removal.COUNT
    }
    assert holdings.to_retire([(MODEL, IN_WINTER, "nobody")], rule, later) == {}
