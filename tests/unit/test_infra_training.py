"""From a manifest to the images of a run."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import splits_of
from lab.train import load_parts, parts_of
from schemas.errors import SetupError
from schemas.settings import load_settings
from schemas.variables import Continuous, Cyclic
from tests.image_set import patterns, write_image_set
from tests.unit.training_samples import ARCHITECTURE, SIDE
from workers.model.photometric import grey
from workers.training.tasks import kinds_of, parse_task

IDENTITIES, SHOTS = 12, 4


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_set(tmp_path_factory.mktemp("set"), IDENTITIES, SHOTS, SIDE)


def labels(rows: list[ManifestRow]) -> set[str | None]:
    return {row.label for row in rows}


def test_parts_of_splits_that_are_made(manifest: Path) -> None:
    parts = parts_of(manifest, None, 3)
    assert len(parts) == len(parts.train) + len(parts.calibrate)
    train, calibrate = labels(parts.train), labels(parts.calibrate)
    assert train
    assert len(calibrate) >= 2
    assert train.isdisjoint(calibrate)
    split = splits_of(manifest, read_manifest(manifest), None)[3]
    rows = read_manifest(manifest)
    tested = {
        rows[i].label for (_, part), t in split.trials.items() if part == "test" for i in t.probes
    }
    assert tested.isdisjoint(train | calibrate), "the test part stays out of sight"
    assert len({row.id for row in parts.calibrate}) == len(parts.calibrate), "each image once"


def test_a_split_that_is_not_there(manifest: Path) -> None:
    with pytest.raises(SetupError, match=r"no split 9 in .*manifest\.csv; there are 0, 1, 2, 3, 4"):
        parts_of(manifest, None, 9)


def written(folder: Path, *lines: str) -> Path:
    path = folder / "splits.csv"
    path.write_text("\n".join(["split,scenario,path,part,role", *lines]) + "\n")
    return path


def test_parts_of_a_splits_file(manifest: Path, tmp_path: Path) -> None:
    splits = written(
        tmp_path,
        "0,mixed,0-0.png,train,train",
        "0,cross,0-0.png,train,train",
        "0,mixed,1-0.png,calibrate,gallery",
        "0,cross,1-0.png,calibrate,gallery",
        "0,mixed,1-1.png,calibrate,probe",
        "0,cross,1-2.png,calibrate,probe",
        "0,mixed,2-0.png,test,gallery",
        "0,mixed,2-1.png,test,probe",
    )
    parts = parts_of(manifest, splits, 0)
    assert [row.id for row in parts.train] == ["0-0.png"]
    assert [row.id for row in parts.calibrate] == ["1-0.png", "1-1.png", "1-2.png"]
    assert parts.source == {"manifest": str(manifest), "split": 0, "splits": str(splits)}


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        (["0,mixed,1-0.png,calibrate,gallery", "0,mixed,1-1.png,calibrate,probe"], "train"),
        (
            [
                "0,mixed,0-0.png,train,train",
                "0,mixed,2-0.png,test,gallery",
                "0,mixed,2-1.png,test,probe",
            ],
            "calibrate",
        ),
        (["0,mixed,0-0.png,train,train"], "calibrate"),
    ],
)
def test_a_part_that_is_missing(
    manifest: Path, tmp_path: Path, lines: list[str], missing: str
) -> None:
    with pytest.raises(SetupError, match=f"split 0 of .* has no {missing} part"):
        parts_of(manifest, written(tmp_path, *lines), 0)


def expected(rows: list[ManifestRow]) -> NDArray[np.uint8]:
    images = patterns(IDENTITIES, SHOTS, SIDE)
    places = [tuple(map(int, Path(row.id).stem.split("-"))) for row in rows]
    return np.stack([images[place] for place in places])


@pytest.mark.parametrize("colour", [True, False])
def test_images_and_what_is_known_of_them(manifest: Path, colour: bool) -> None:
    parts = parts_of(manifest, None, 0)
    done: list[int] = []
    architecture = ARCHITECTURE.model_copy(update={"colour": colour})
    data = load_parts(parts, architecture, load_settings(), done.append)
    assert sum(done) == len(parts)
    for part, rows in ((data.train, parts.train), (data.calibrate, parts.calibrate)):
        pixels = torch.from_numpy(expected(rows)).permute(0, 3, 1, 2)
        seen = pixels if colour else grey(pixels).round().to(torch.uint8)
        assert torch.equal(part.images, seen)
        assert part.labels == tuple(row.label for row in rows)
        assert part.sessions == tuple(row.background["date"] for row in rows)
        assert part.backgrounds == tuple(row.background for row in rows)
        assert part.backgrounds[0].keys() == {"date", "season", "hour"}


def test_limits_hold_in_training_too(manifest: Path) -> None:
    parts = parts_of(manifest, None, 0)
    with pytest.raises(SetupError, match=r"\d+-\d\.png: "):
        load_parts(parts, ARCHITECTURE, load_settings(max_image_pixels=16), lambda _: None)


def test_a_declared_kind_is_learned_as_such_unless_another_is_given(
    manifest: Path, tmp_path: Path
) -> None:
    declaration = tmp_path / "variables.yaml"
    declaration.write_text("variables: {hour: {type: cyclic, period: 24}}\n")
    parts = parts_of(manifest, None, 0)
    settings = load_settings(variables=declaration)
    samples = load_parts(parts, ARCHITECTURE, settings, lambda _: None).train
    declared = kinds_of([parse_task("hour"), parse_task("season")], samples.declared)
    assert declared == {"hour": Cyclic(type="cyclic", period=24), "season": None}
    given = kinds_of([parse_task("hour:continuous")], samples.declared)
    assert given == {"hour": Continuous(type="continuous")}
    assert load_parts(parts, ARCHITECTURE, load_settings(), lambda _: None).train.declared == {}
