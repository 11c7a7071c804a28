"""Two strangers on a circle, as entries come and go."""

import math

import numpy as np
import pytest

from recognition import watch as module
from recognition.cluster import EVERYWHERE
from recognition.cluster_tails import fit_cluster_tails
from recognition.conditioning import Conditioning, Impostors, Placed
from recognition.watch import ImpostorWatch
from tests.unit.angles import at_angles
from tests.unit.placements import conditioning, placed


def cosine(degrees: float) -> float:
    return 1 - math.cos(math.radians(degrees))


def at(*degrees: float) -> Placed:
    n = len(degrees)
    return Placed(at_angles(degrees), np.ones(n, np.float32), np.zeros(n, np.intp))


@pytest.fixture
def watch() -> ImpostorWatch:
    """Strangers at 0 and 180 degrees."""
    clusters = conditioning(np.random.default_rng(0), 0, k=1).clusters
    strangers = Impostors(at(0, 180), np.array(["a", "b"]))
    return ImpostorWatch(Conditioning(clusters, None, None, np.ones((1, 1)), strangers))


def nearest(watch: ImpostorWatch) -> list[float]:
    found: list[float] = watch.nearest.tolist()
    return found


def close(*degrees: float) -> object:
    return pytest.approx([cosine(each) for each in degrees], abs=1e-6)


def test_nobody_is_near_an_empty_gallery(watch: ImpostorWatch) -> None:
    assert len(watch) == 0
    assert nearest(watch) == [math.inf, math.inf]
    assert watch.tails() is None
    assert watch.thresholds(0.05) == {}


def test_entries_come_go_and_are_replaced(watch: ImpostorWatch) -> None:
    watch.extend(["e"], at(30))
    assert nearest(watch) == close(30, 150)
    watch.extend(["f"], at(100))
    assert nearest(watch) == close(30, 80)
    watch.extend(["e"], at(60))  # in place of the one at 30
    assert len(watch) == 2
    assert nearest(watch) == close(60, 80)
    watch.discard(["f"])
    assert nearest(watch) == close(60, 120)
    watch.discard(["e"])
    assert nearest(watch) == [math.inf, math.inf]
    assert len(watch) == 0


def test_many_come_and_go_at_once(watch: ImpostorWatch) -> None:
    watch.extend(["e", "f", "g"], at(30, 100, 170))
    assert nearest(watch) == close(30, 10)
    watch.extend(["g", "e"], at(90, 80))
    assert len(watch) == 3
    assert nearest(watch) == close(80, 80)
    watch.extend([], at())
    watch.discard([])
    assert len(watch) == 3
    watch.discard({"e", "f"})
    assert nearest(watch) == close(90, 90)


def test_an_id_that_is_not_there_changes_nothing(watch: ImpostorWatch) -> None:
    watch.extend(["e", "f"], at(30, 100))
    with pytest.raises(KeyError, match="g"):
        watch.discard(["e", "g"])
    assert len(watch) == 2
    assert nearest(watch) == close(30, 80)


def test_ids_and_entries_are_as_many_and_differ(watch: ImpostorWatch) -> None:
    watch.extend(["e"], at(30))
    for ids in (["e", "e"], ["e"], ["e", "f", "g"]):
        with pytest.raises(ValueError, match="expected 2 different ids"):
            watch.extend(ids, at(1, 2))
    assert nearest(watch) == close(30, 150)


def test_equal_distances_say_nothing(watch: ImpostorWatch) -> None:
    watch.extend(["e"], at(90))
    assert watch.tails() is None
    assert watch.thresholds(0.05) == {}


def test_thresholds_are_those_of_what_the_strangers_find() -> None:
    rng = np.random.default_rng(0)
    made = conditioning(rng, 90, k=3)
    watch = ImpostorWatch(made)
    watch.extend([f"e{i}" for i in range(20)], placed(rng, 20, 3))
    strangers = made.impostors
    expected = fit_cluster_tails(watch.nearest, strangers.identities, strangers.placed.clusters, 3)
    assert expected is not None
    thresholds = watch.thresholds(0.01)
    assert list(thresholds) == ["c0", "c1", "c2", EVERYWHERE]
    assert list(thresholds.values()) == expected.thresholds(0.01).tolist()
    assert len(set(thresholds.values())) == 4


def test_the_more_are_enrolled_the_lower_the_threshold() -> None:
    rng = np.random.default_rng(0)
    watch = ImpostorWatch(conditioning(rng, 90))
    found = []
    for gallery in range(4):
        watch.extend([f"{gallery}-{i}" for i in range(4**gallery)], placed(rng, 4**gallery, 2))
        found.append(watch.thresholds(0.05)[EVERYWHERE])
    assert found == sorted(found, reverse=True)


def test_without_strangers_there_are_no_thresholds() -> None:
    rng = np.random.default_rng(0)
    watch = ImpostorWatch(conditioning(rng, 0))
    watch.extend(["e"], placed(rng, 1, 2))
    watch.discard(["e"])
    watch.extend(["e"], placed(rng, 1, 2))
    assert nearest(watch) == []
    assert watch.thresholds(0.05) == {}


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    made, entries = conditioning(rng, 30), placed(rng, 20, 2)
    ids = [f"e{i}" for i in range(20)]
    one, other = ImpostorWatch(made), ImpostorWatch(made)
    one.extend(ids, entries)
    monkeypatch.setattr(module, "_BLOCK", 3)
    other.extend(ids, entries)
    for gone in ([], ids[:15]):
        one.discard(gone)
        other.discard(gone)
        assert other.nearest == pytest.approx(one.nearest, abs=1e-6)
