"""Thresholds for any FPIR: those that the live layout would have."""

from pathlib import Path

import numpy as np
import pytest

from lab.whatif.replay import Replay
from recognition.cluster import EVERYWHERE
from schemas.settings import Settings
from streams.index.base import GalleryState
from tests.gallery_entries import MODEL, entry
from tests.unit.replayed import SETTINGS, active, entries

FPIRS = (0.001, 0.01, 0.05, 0.2)


def thresholds(state: GalleryState) -> dict[str, float]:
    of_shards = {cluster: shard.threshold for cluster, shard in state.models[MODEL].items()}
    of_probes = {f"probe {c}": t for c, t in state.thresholds.get(MODEL, {}).items()}
    # None is no number that could be nearly the same.
    return {c: np.inf if t is None else t for c, t in (of_shards | of_probes).items()}


@pytest.mark.parametrize("fpir", FPIRS)
async def test_plain_shards_have_the_thresholds_of_the_live_system(fpir: float) -> None:
    replay = await Replay.of(entries(), None, SETTINGS)
    live = await Replay.of(entries(), None, Settings(target_fpir=fpir, shard_by=("light",)))
    assert thresholds(replay.at_fpir(MODEL, fpir)) == pytest.approx(
        thresholds(live.state), rel=1e-5
    )
    assert np.isfinite(list(thresholds(live.state).values())).all()


@pytest.mark.parametrize("fpir", FPIRS)
async def test_probes_have_the_thresholds_of_the_live_system(fpir: float, tmp_path: Path) -> None:
    replay = await Replay.of(entries(), active(tmp_path / "a"), SETTINGS)
    live = await Replay.of(entries(), active(tmp_path / "b", fpir=fpir), SETTINGS)
    assert thresholds(replay.at_fpir(MODEL, fpir)) == pytest.approx(
        thresholds(live.state), rel=1e-5
    )
    assert {"probe c0", "probe c1", f"probe {EVERYWHERE}"} < thresholds(live.state).keys()


async def test_more_strangers_have_a_narrower_interval(tmp_path: Path) -> None:
    for state in (None, active(tmp_path)):
        replay = await Replay.of(entries(), state, SETTINGS)
        replay.at_fpir(MODEL, 0.1)
        few, many = replay.interval(MODEL, 5), replay.interval(MODEL, 500)
        assert few is not None
        assert many is not None
        assert few.low <= many.low < 0.1 < many.high < few.high


async def test_a_gallery_of_one_identity_has_no_threshold_and_no_false_matches() -> None:
    replay = await Replay.of([entry("e", "id", np.ones(4))], None, SETTINGS)
    assert replay.at_fpir(MODEL, 0.05) == replay.state
    assert replay.interval(MODEL, 10) is None


async def test_a_conditioning_without_entries_has_no_tails(tmp_path: Path) -> None:
    replay = await Replay.of([], active(tmp_path), SETTINGS)
    assert replay.at_fpir(MODEL, 0.05).thresholds == {}
    assert replay.interval(MODEL, 10) is None
