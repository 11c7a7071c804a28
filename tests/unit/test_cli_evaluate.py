"""``perennial evaluate`` with the real backbone on images made here: no broker, no Redis."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from infra.cli import app
from lab.evaluate.report import Evaluation
from tests.environment import default_settings
from tests.unit.tiny_models import write_tiny

IDENTITIES, SHOTS = 10, 4


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    default_settings(monkeypatch)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten coarse patterns in four lights each, and a file that is no image."""
    folder = tmp_path_factory.mktemp("herd")
    rng = np.random.default_rng(0)
    lines = ["path,label,date,light"]
    for identity in range(IDENTITIES):
        pattern = rng.integers(0, 255, (4, 4, 3)).astype(np.float64)
        for shot in range(SHOTS):
            light = (1.0, 0.6)[shot % 2]
            noise = rng.normal(0, 6, (4, 4, 3))
            pixels = np.clip(pattern * light + noise, 0, 255).astype(np.uint8)
            image = cv2.resize(pixels, (48, 48), interpolation=cv2.INTER_NEAREST)
            name = f"{identity}-{shot}.png"
            assert cv2.imwrite(str(folder / name), image)
            lines.append(f"{name},p{identity},2025-04-0{1 + shot},{('day', 'dusk')[shot % 2]}")
    (folder / "broken.png").write_bytes(b"no image")
    lines.append("broken.png,p0,2025-04-09,day")
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_from_images_to_a_report(manifest: Path, tmp_path: Path) -> None:
    options = ["--split", 0, "--split", 1, "--fpir", 0.1, "--draws", 20, "--by", "light"]
    distances = ["--distance", "cosine", "--distance", "spearman"]
    result = run(manifest, *options, *distances, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    report = Evaluation.model_validate_json(result.stdout)
    cosine, spearman = report.variants
    assert (cosine.name, spearman.distance) == ("plain, cosine", "spearman")
    assert cosine.models[0].startswith("efficientnet-lite0-imagenet@")
    measures = cosine.scenarios["mixed"].measures
    rank1 = measures["rank1"]
    assert [each.split for each in rank1.splits] == [0, 1]
    assert rank1.mean is not None
    assert rank1.mean > 0.6  # by chance 1/3
    assert [group.value for group in cosine.scenarios["mixed"].by["light"]] == ["day", "dusk"]
    assert report.differences[0].baseline == "plain, cosine"
    assert set(report.refused) <= {"broken.png"}
    assert "spearman is for measuring only" in result.stderr
    written = json.loads((tmp_path / "out" / "evaluation.json").read_bytes())
    assert Evaluation.model_validate(written) == report
    assert (tmp_path / "out" / "by_light.png").exists()


def test_views_are_compared_and_the_option_wins(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(write_tiny(tmp_path / "tiny"))
    options = ["--split", 0, "--draws", 5, "--model", model, "--json"]
    monkeypatch.setenv("PERENNIAL_VIEWS", "flip")
    report = Evaluation.model_validate_json(run(manifest, *options).stdout)
    (one,) = report.variants
    assert (one.name, one.models[0].partition("+")[2]) == ("tiny", "flip")
    views = ["--views", "none", "--views", "crops", "--views", "none"]
    report = Evaluation.model_validate_json(run(manifest, *options, *views).stdout)
    assert [v.name for v in report.variants] == ["tiny, none", "tiny, crops"]
    none, crops = (v.models[0] for v in report.variants)
    assert crops == f"{none}+crops"
    assert [(d.variant, d.baseline) for d in report.differences] == [("tiny, crops", "tiny, none")]
    assert all(v.image_ms is not None and v.image_ms > 0 for v in report.variants)


def test_what_is_wrong_is_named_before_anything_is_embedded(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments, code, why in (
        (["--split", 9], 2, "there is no split 9; there are 0, 1, 2, 3, 4"),
        (["--by", "weather"], 2, "no image has the variable 'weather'; known: date, light"),
        (["--model", tmp_path / "none"], 2, "no model folder"),
        (["--fpir", 5], 2, "5 is no share between 0 and 1"),
        (["--distance", "taxicab"], 2, "'taxicab' is not one of"),
        (["--views", "mirror"], 2, "'mirror' is not one of 'none', 'flip', 'crops'"),
        (["--splits", tmp_path / "none.csv"], 2, "does not exist"),
    ):
        result = run(manifest, *arguments)
        assert result.exit_code == code
        assert why in " ".join(result.stderr.replace("│", " ").split())


def test_a_broken_image_is_named_and_left_out(manifest: Path, tmp_path: Path) -> None:
    lines = ["split,scenario,path,part,role"]
    lines += [f"0,only,{i}-0.png,test,gallery" for i in range(3)]
    lines += [f"0,only,{i}-1.png,test,probe" for i in range(6)]
    lines.append("0,only,broken.png,test,probe")
    splits = tmp_path / "splits.csv"
    splits.write_text("\n".join(lines))
    result = run(manifest, "--splits", splits, "--draws", 5, "--model", "plain")
    assert result.exit_code == 0, result.output
    assert "left out broken.png: " in result.stderr
    assert "only" in result.stdout
    assert "rank-1" in result.stdout
