"""The version of an artefact: of what decides, and of nothing else."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recognition.conditioning import Conditioning, Impostors
from streams.conditioning.artefact import save_artefact
from tests.conditionings import CALIBRATION, Change, conditioning, saved


def test_the_version_is_of_what_decides(tmp_path: Path) -> None:
    first = saved(tmp_path / "1", calibration=CALIBRATION)
    again = save_artefact(
        tmp_path / "2",
        name="another name",
        model=first.model,
        fpir=first.fpir,
        conditioning=first.conditioning,
        calibration=first.calibration,
        about={"another": "figure"},
    )
    assert again.version == first.version
    assert len(first.version) == 12


def _statistics(changed: Conditioning, name: str) -> Conditioning:
    assert changed.statistics is not None
    array = getattr(changed.statistics, name).copy()
    array.flat[0] += 1
    return replace(changed, statistics=replace(changed.statistics, **{name: array}))


def _impostors(changed: Conditioning, name: str) -> Conditioning:
    placed = changed.impostors.placed
    array = getattr(placed, name).copy()
    array[[0, -1]] = array[[-1, 0]]
    placed = replace(placed, **{name: array})
    return replace(changed, impostors=Impostors(placed, changed.impostors.identities))


def _owners(changed: Conditioning) -> Conditioning:
    owners = changed.impostors.identities.copy()
    owners[0] = owners[1]
    return replace(changed, impostors=replace(changed.impostors, identities=owners))


def _cohort(changed: Conditioning) -> Conditioning:
    assert changed.cohort is not None
    return replace(changed, cohort=replace(changed.cohort, vectors=changed.cohort.vectors[:-1]))


def _clusters(changed: Conditioning, **changes: Any) -> Conditioning:
    return replace(changed, clusters=replace(changed.clusters, **changes))


CHANGES: list[Change] = [
    *(partial(_statistics, name=name) for name in ("mean", "scale", "counts", "global_mean")),
    *(partial(_impostors, name=name) for name in ("vectors", "scales", "clusters")),
    _owners,
    _cohort,
    lambda c: replace(c, cohort=None),
    lambda c: replace(c, levels=c.levels * 2),
    lambda c: _clusters(c, centres=c.clusters.centres + 1),
    lambda c: _clusters(c, spread=c.clusters.spread + 1),
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_another_number_is_another_version(tmp_path: Path, change: Change) -> None:
    made = conditioning()
    assert saved(tmp_path / "a", made).version != saved(tmp_path / "b", change(made)).version


@pytest.mark.parametrize("changes", [{"fpir": 0.01}, {"model": "other@1"}, {"calibration": None}])
def test_another_promise_is_another_version(tmp_path: Path, changes: dict[str, Any]) -> None:
    first = saved(tmp_path / "a", calibration=CALIBRATION)
    assert saved(tmp_path / "b", **{"calibration": CALIBRATION, **changes}).version != first.version
