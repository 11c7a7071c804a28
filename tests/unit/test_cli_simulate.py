"""``perennial simulate`` on images made here: no broker, no Redis."""

import json
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner, Result

from infra.cli import app
from lab.images.embed import model_folder, version_of
from lab.simulate.report import SimulationReport
from schemas.settings import load_settings
from tests.conditionings import conditioning, saved
from tests.image_set import patterns
from tests.unit.tiny_models import write_tiny

pytestmark = pytest.mark.usefixtures("one_thread")

IDENTITIES, SHOTS = 10, 8
N = IDENTITIES * SHOTS


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everybody comes once a day, by day and night in turn; one has a date, one nothing."""
    folder = tmp_path_factory.mktemp("herd")
    lines = ["path,label,captured_at,date,light"]
    for identity, images in enumerate(patterns(IDENTITIES, SHOTS, 16)):
        for shot, image in enumerate(images):
            assert cv2.imwrite(str(folder / f"{identity}-{shot}.png"), image[:, :, ::-1])
            light = ("day", "night")[shot % 2]
            at = f"2025-04-{1 + shot:02d}T12:{identity:02d}:00"
            if identity == 9 and shot in (6, 7):
                at = ""
            date = "2025-04-08" if (identity, shot) == (9, 7) else ""
            lines.append(f"{identity}-{shot}.png,p{identity},{at},{date},{light}")
    (folder / "broken.png").write_bytes(b"no image")
    lines += ["broken.png,p0,2025-04-01T00:00:00,,day", "0-0.png,,2025-04-01T00:00:00,,day"]
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny")


@pytest.fixture
def fitted(tmp_path: Path, model: Path) -> Path:
    saved(tmp_path / "fitted", conditioning(8), model=version_of(model, load_settings()), fpir=0.02)
    return tmp_path / "fitted"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)])


def report_of(*arguments: object) -> SimulationReport:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return SimulationReport.model_validate_json(result.stdout)


def said(result: Result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


def test_from_images_to_a_report(manifest: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(manifest, "--model", model, "--fpir", 0.05, "--delay", 3, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    report = SimulationReport.model_validate_json(result.stdout)
    assert (report.frames, report.identities, report.split) == (N, IDENTITIES, None)
    assert (report.fpir, report.delay, report.model[:5]) == (0.05, 3, "tiny@")
    assert report.refused.keys() == {"broken.png"}
    assert "left out broken.png: " in said(result)
    assert "1 images have a date but no time: each clip" in said(result)
    assert "1 images have neither time nor date: at random places" in said(result)
    assert report.timed == N - 1
    (variant,) = report.variants
    assert variant.name == "plain, MAD, no inclusion, 0 % wrong"
    assert variant.strangers >= IDENTITIES
    assert variant.answered.wrong == 0
    assert variant.decisions == round(variant.review * N) == variant.by_decisions.decisions[-1]
    assert variant.minutes == pytest.approx(variant.decisions * 0.15)
    named = 1 - variant.review
    assert variant.wrong_of_all == pytest.approx(
        named * (0 if variant.error is None else variant.error)
    )
    assert variant.by_decisions.right[-1] == pytest.approx(1 - variant.wrong_of_all)
    assert SimulationReport.model_validate(json.loads((out / "simulation.json").read_bytes()))
    for name in ("effort.png", "error.png", "decisions.png"):
        assert cv2.imread(str(out / name)) is not None
    assert "INFO" not in result.stderr, "the agents keep quiet"


def test_images_without_any_time_have_no_order_in_time(manifest: Path, model: Path) -> None:
    lines = [line.split(",") for line in manifest.read_text().splitlines()]
    bare = manifest.with_name("bare.csv")
    bare.write_text("\n".join(f"{path},{label}" for path, label, *_ in lines))
    result = run(bare, "--model", model)
    assert result.exit_code == 0, result.output
    assert "no image has a time or a date: random order" in said(result)
    assert "in time order" not in result.stdout
    assert report_of(bare, "--model", model).timed == 0


def test_the_same_seed_gives_the_same(manifest: Path, model: Path) -> None:
    options = (manifest, "--model", model, "--wrong", 0.3, "--poor", 0.3)
    one, again, other = (report_of(*options, "--seed", seed) for seed in (0, 0, 1))

    def outcome(report: SimulationReport) -> object:
        return report.variants[0].model_dump(exclude={"frames_per_s"})

    assert outcome(one) == outcome(again) != outcome(other)
    assert one.poor == 0.3
    assert one.variants[0].answered.wrong > 0


def test_the_grid_runs_with_and_without_each(manifest: Path, model: Path, fitted: Path) -> None:
    options = (manifest, "--model", model, "--conditioning", fitted, "--limit", 60)
    report = report_of(*options, "--compare")
    assert report.frames == 59, "the broken one is among the first"
    assert report.fpir == 0.02, "as fitted"
    variants = report.variants
    assert len({v.name for v in variants}) == 16
    assert {(v.conditioning, v.version is None) for v in variants} == {
        ("none", True),
        ("fitted", False),
    }
    assert {v.wrong_answers for v in variants} == {0.0, 0.05}
    assert {v.mad for v in variants} == {None, 7.0}
    assert {v.include for v in variants} == {False, True}
    assert all(v.included.right == v.included.wrong == 0 for v in variants if not v.include)
    some = report_of(*options, "--compare", "--wrong", 0.2, "--fpir", 0.5)
    assert {v.wrong_answers for v in some.variants} == {0.0, 0.2}
    assert some.fpir == 0.5
    assert {v.version for v in some.variants} != {v.version for v in variants}, "another FPIR"


def test_without_it_what_is_repeated_is_compared(
    manifest: Path, model: Path, fitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_MODEL", str(model))
    monkeypatch.setenv("PERENNIAL_INCLUDE", "true")
    monkeypatch.setenv("PERENNIAL_RETENTION_MAX_AGE_DAYS", "1")
    result = run(manifest, "--conditioning", fitted, "--conditioning", "none", "--no-mad")
    assert result.exit_code == 0, result.output
    lines = [line.split()[:5] for line in result.stdout.splitlines()]
    assert ["variant", "to", "a", "person", "min"] in lines
    assert [line[0] for line in lines if line and line[0] in ("plain", "fitted")] == [
        "fitted",
        "plain",
    ]
    assert "retention by age is left out" in said(result)
    report = report_of(manifest, "--conditioning", fitted, "--no-mad", "--wrong", 0, "--wrong", 0.1)
    assert [v.name for v in report.variants] == ["0 % wrong", "10 % wrong"]
    assert {(v.mad, v.include, v.conditioning) for v in report.variants} == {(None, True, "fitted")}


def test_only_the_test_part_of_a_split_with_folders_of_its_own(
    manifest: Path, tmp_path: Path
) -> None:
    write_tiny(tmp_path / "tiny-1")
    model = tmp_path / "tiny-{split}"
    report = report_of(manifest, "--model", model, "--split", 1)
    assert report.split == 1
    assert report.identities == 4, "two fifths of them"
    assert report.frames == 4 * SHOTS
    result = run(manifest, "--model", model)
    assert result.exit_code == 2
    assert "say which with --split" in said(result)


def test_what_is_wrong_is_named_before_anything_is_embedded(
    manifest: Path, model: Path, fitted: Path, tmp_path: Path
) -> None:
    other = saved(tmp_path / "other" / "fitted", conditioning(8), fpir=0.5)
    nobody = tmp_path / "nobody.csv"
    nobody.write_text("path,label\na.png,\n")
    blank = tmp_path / "blank.csv"
    blank.write_text("path,label\na.png,p0\n")
    for arguments, why in (
        ([manifest, "--split", 9], "there is no split 9; there are 0, 1, 2, 3, 4"),
        ([manifest, "--model", tmp_path / "none"], "no model folder"),
        ([manifest, "--conditioning", tmp_path], "conditioning.json: No such file"),
        ([manifest, "--conditioning", tmp_path / "other" / "fitted"], f"is for {other.model}, but"),
        (
            [manifest, "--conditioning", fitted, "--conditioning", tmp_path / "other" / "fitted"],
            "give one with --fpir",
        ),
        ([manifest, "--fpir", 1], "no share between 0 and 1"),
        ([manifest, "--wrong", 1.5], "less than or equal to 1"),
        ([nobody], "no image has a label"),
        ([blank], "none of the images can be embedded"),
    ):
        result = run(*arguments, *([] if "--model" in arguments else ["--model", model]))
        assert result.exit_code == 2, arguments
        assert why in said(result)


def test_plain_is_the_backbone_as_it_comes(model: Path) -> None:
    assert model_folder("plain") is None
    assert model_folder(str(model)) == model
