"""``perennial fit`` on images made here: no broker, no Redis."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli import app
from lab.fit.report import FitReport
from streams.conditioning.artefact import load_artefact
from tests.image_set import write_image_set
from tests.unit.tiny_models import write_tiny

pytestmark = pytest.mark.usefixtures("one_thread")

IDENTITIES, SHOTS = 26, 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coarse patterns in summer's and winter's light, and what is no image."""
    made = tmp_path_factory.mktemp("herd")
    manifest = write_image_set(made, IDENTITIES, SHOTS)
    lines = [f"broken{i}.png,id{i},2025-05-01,summer,12" for i in range(IDENTITIES)]
    for i in range(IDENTITIES):  # whichever of them the split uses
        (made / f"broken{i}.png").write_bytes(b"no image")
    manifest.write_text(manifest.read_text() + "\n".join(lines) + "\n")
    return made


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("models") / "tiny-1")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["fit", *map(str, arguments)])


def said(result: Result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


def test_from_images_to_a_conditioning(folder: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--model", model.parent / "tiny-{split}", "--split", 1, "--fpir", 0.05]
    result = run(folder / "manifest.csv", *options, "--name", "patterns", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    artefact = load_artefact(out)
    assert told.pop("folder") == str(out)
    assert (told.pop("name"), told.pop("version")) == (artefact.name, artefact.version)
    report = FitReport.model_validate(told)
    assert FitReport.model_validate(artefact.about) == report
    assert (artefact.name, artefact.fpir) == ("patterns", 0.05)
    assert artefact.model == report.origin.model
    assert artefact.model.startswith("tiny@")
    assert report.origin.split == 1
    assert report.origin.data == folder.name
    # 40 % of the 26 identities train, 20 % calibrate, eight sound images each.
    assert (report.origin.seen.identities, report.origin.seen.images) == (10, 80)
    assert (report.origin.held_out.identities, report.origin.held_out.images) == (6, 48)
    assert len(artefact.conditioning.impostors.identities) == 48
    assert len(report.origin.refused) == 16
    assert f"left out {next(iter(report.origin.refused))}: " in said(result)
    assert f"version {artefact.version}" in (out / "report.html").read_text(encoding="utf-8")
    assert f"next: perennial activate {out}" in said(result)


def test_it_is_told_on_the_screen_and_the_settings_are_the_defaults(
    folder: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_MODEL", str(model))
    monkeypatch.setenv("PERENNIAL_TARGET_FPIR", "0.03")
    result = run(folder / "manifest.csv", "--by", "season", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    printed = " ".join(result.stdout.split())
    assert "80 images of 10 identities, judged by 48 of 6 others" in printed
    assert "Asked for an FPIR of 3 %, expect" in printed
    assert "c0" in printed
    artefact = load_artefact(tmp_path / "out")
    assert (artefact.name, artefact.fpir) == (folder.name, 0.03)
    assert [one["variable"] for one in artefact.about["variables"]] == ["season"]


def test_where_no_background_differs_there_is_still_a_conditioning(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    _, *lines = (folder / "manifest.csv").read_text().splitlines()
    bare = folder / "bare.csv"
    sited = (",".join([*line.split(",")[:2], "here"]) for line in lines)
    bare.write_text("\n".join(["path,label,site", *sited]))
    result = run(bare, "--model", model, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    report = FitReport.model_validate(load_artefact(tmp_path / "out").about)
    assert (len(report.clusters), report.variables) == (1, ())
    assert "not looked at: background site: there is only the value 'here'" in said(result)
    assert "there is no variable" in said(run(bare, "--by", "site", "--out", tmp_path / "out"))


def test_the_declaration_decides_what_a_variable_is(
    folder: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declaration = tmp_path / "variables.yaml"
    declaration.write_text("variables:\n  hour: {type: cyclic, period: 24}\n")
    monkeypatch.setenv("PERENNIAL_VARIABLES", str(declaration))
    result = run(folder / "manifest.csv", "--model", model, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    # Times are not known: what was declared and sent is all there is.
    assert [one["variable"] for one in json.loads(result.stdout)["variables"]] == ["hour"]


def test_what_is_wrong_is_named_before_anything_is_embedded(folder: Path, tmp_path: Path) -> None:
    out = ["--out", tmp_path / "out"]
    few = write_image_set(tmp_path / "few", 12, 4)
    for manifest, arguments, why in (
        (folder / "manifest.csv", ["--split", 9, *out], "there is no split 9; there are 0, 1, 2"),
        (folder / "manifest.csv", ["--by", "mood", *out], "no image has the variable 'mood'"),
        (folder / "manifest.csv", ["--model", tmp_path / "no", *out], "no model folder"),
        (folder / "manifest.csv", ["--fpir", 5, *out], "5 is no share between 0 and 1"),
        (folder / "manifest.csv", [], "Missing option '--out'"),
        (few, out, "the calibrate part of split 0 has 2 identities"),
    ):
        result = run(manifest, *arguments)
        assert result.exit_code == 2
        assert why in said(result)
    assert not (tmp_path / "out").exists()


def test_help_teaches_by_example() -> None:
    told = run("--help").stdout
    assert "Example:" in told
    assert "perennial fit herd.csv" in told
