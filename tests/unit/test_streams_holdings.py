"""The holdings: entries by id, by identity, by group, and the state of their shards."""

from datetime import timedelta

import pytest

from recognition.retain import Removal, RetentionRule
from schemas.gallery import Status
from streams.holdings import Erased, Holdings, group_of
from streams.index.base import EVERYWHERE, ShardState
from tests.gallery_entries import CAPTURED, MODEL, entry


@pytest.fixture
def holdings() -> Holdings:
    """Oak and elm at a right angle in summer, an ash between them in winter."""
    made = Holdings(0.3)
    made.apply(entry("oak-1", "oak", [1, 0], cluster="summer"), 0)
    made.apply(entry("elm-1", "elm", [0, 1], cluster="summer"), 1)
    made.apply(entry("ash-1", "ash", [3, 4], cluster="winter"), 2)
    return made


def test_new_holdings_are_empty() -> None:
    made = Holdings(0.01)
    assert (len(made), made.position, list(made), made.groups()) == (0, -1, [], [])
    assert made.state("one").models == {}
    assert made.get("x") is None
    assert made.of_identity("x") == []
    assert made.dimension(MODEL) is None


def test_the_state_counts_each_shard_and_all_of_them(holdings: Holdings) -> None:
    state = holdings.state("one")
    assert (state.epoch, state.position) == ("one", 2)
    shards = state.models[MODEL]
    summer = shards["summer"].threshold
    assert shards["summer"] == ShardState(entries=2, identities=2, threshold=summer)
    assert summer is None  # oak and elm are each other's nearest: one distance, no spread
    assert shards["winter"] == ShardState(entries=1, identities=1, threshold=None)
    everywhere = shards[EVERYWHERE]
    assert (everywhere.entries, everywhere.identities) == (3, 3)
    # Nearest impostors .4, .2, .2, of which two differ: mean .3, deviation .1414214, and
    # t(1 degree of freedom, 30 %) = -.7265425.
    assert everywhere.threshold == pytest.approx(0.3 - 0.7265425 * 0.1414214 * 1.5**0.5)


def test_quarantined_entries_are_held_but_not_matched(holdings: Holdings) -> None:
    holdings.apply(entry("ash-1", "ash", [3, 4], cluster="winter", status=Status.QUARANTINED), 3)
    assert len(holdings) == 3
    assert [e.entry_id for e in holdings.of_identity("ash")] == ["ash-1"]
    assert set(holdings.state("one").models[MODEL]) == {"summer", EVERYWHERE}
    assert {group[1] for group in holdings.groups()} == {"summer"}


def test_the_erased_are_gone(holdings: Holdings) -> None:
    for position, entry_id in enumerate(("oak-1", "elm-1", "ash-1", "never-seen"), 3):
        holdings.apply(Erased(entry_id), position)
    assert (len(holdings), holdings.position) == (0, 6)
    assert holdings.of_identity("oak") == []
    assert holdings.state("one").models == {}


def test_a_position_never_goes_back(holdings: Holdings) -> None:
    holdings.apply(entry("oak-1", "oak", [1, 0], cluster="summer"), 0)
    assert holdings.position == 2
    assert holdings.state("one").models[MODEL]["summer"].entries == 2


def test_retention_weighs_an_identity_within_its_cluster(holdings: Holdings) -> None:
    for day in range(3):
        for cluster in ("summer", "winter"):
            held = entry(
                f"oak-{cluster}-{day}",
                "oak",
                [1, day],
                cluster=cluster,
                captured_at=CAPTURED + timedelta(days=day + 1),
            )
            holdings.apply(held, holdings.position + 1)
    rule = RetentionRule(newest=2, mad_cutoff=None)
    oldest = {"oak-1", "oak-summer-0", "oak-winter-0"}
    later = CAPTURED + timedelta(days=9)
    removals = holdings.to_retire(holdings.groups(), rule, later)
    assert removals == dict.fromkeys(oldest, Removal.COUNT)
    assert holdings.to_retire([], rule, later) == {}
    assert holdings.to_retire([(MODEL, "winter", "oak")], rule, later) == {
        "oak-winter-0": Removal.COUNT
    }
    assert holdings.to_retire([(MODEL, "winter", "nobody")], rule, later) == {}


def test_the_group_of_an_entry() -> None:
    assert group_of(entry("a", "oak", [1, 0], cluster="winter")) == (MODEL, "winter", "oak")
