"""``perennial saliency`` on images made here: no broker, no Redis."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from infra.cli import app
from lab.saliency.report import SaliencyReport
from tests.unit.tiny_models import write_tiny

pytestmark = pytest.mark.usefixtures("one_thread")

IDENTITIES, SHOTS = 12, 8


@pytest.fixture(autouse=True)
def quick_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take principal components for UMAP's: it compiles for half a minute, and has its own test."""
    monkeypatch.setattr("lab.saliency.projections._umap", lambda parts, count: parts[:, :count])


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coarse patterns, bright by day and dark at dusk; the lens does nothing, the breed is who."""
    folder = tmp_path_factory.mktemp("herd")
    rng = np.random.default_rng(0)
    lines = ["path,label,date,light,lens,breed,site"]
    for identity in range(IDENTITIES):
        pattern = rng.integers(0, 255, (4, 4, 3)).astype(np.float64)
        for shot in range(SHOTS):
            noise = rng.normal(0, 6, (4, 4, 3))
            pixels = np.clip(pattern * (1.0, 0.5)[shot % 2] + noise, 0, 255).astype(np.uint8)
            image = cv2.resize(pixels, (48, 48), interpolation=cv2.INTER_NEAREST)
            name = f"{identity}-{shot}.png"
            assert cv2.imwrite(str(folder / name), image)
            light, lens = ("day", "dusk")[shot % 2], ("a", "b")[shot // 2 % 2]
            lines.append(f"{name},p{identity},2025-04-{1 + shot:02d},{light},{lens},")
            lines[-1] += f"b{identity % 3},here"
    for identity in range(IDENTITIES):  # whichever of them the split looks at
        (folder / f"broken{identity}.png").write_bytes(b"no image")
        lines.append(f"broken{identity}.png,p{identity},2025-05-01,day,a,b{identity % 3},here")
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["saliency", *map(str, arguments)])


def said(result: Result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


def test_from_images_to_a_report(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(manifest, "--model", "plain", "--split", 1, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    report = SaliencyReport.model_validate_json(result.stdout)
    assert report.model.startswith("efficientnet-lite0-imagenet@")
    assert report.split == 1
    roles = {one.variable: one.role for one in report.variables}
    assert all(one.gain is not None for one in report.variables)
    assert "shifts" in roles["light"]
    assert roles["lens"] == "noise"
    assert roles["breed"] == "confounded"
    assert set(report.left_out) == {"site"}
    assert "not looked at: background site" in said(result)
    assert report.refused.keys() <= {f"broken{i}.png" for i in range(IDENTITIES)}
    assert f"left out {next(iter(report.refused))}: " in said(result)
    # Seven of the twelve identities train and calibrate, eight sound images each.
    assert (report.identities, report.images) == (7, 56)
    assert SaliencyReport.model_validate(json.loads((out / "saliency.json").read_bytes())) == report
    html = (out / "saliency.html").read_text(encoding="utf-8")
    assert "UMAP" in html
    assert "light" in html


def test_a_model_for_each_split_and_the_ranking_on_the_screen(
    manifest: Path, tmp_path: Path
) -> None:
    write_tiny(tmp_path / "tiny-0")
    model = tmp_path / "tiny-{split}"
    result = run(manifest, "--model", model, "--by", "light", "--by", "date")
    assert result.exit_code == 0, result.output
    assert "56 images of 7 identities" in result.stdout
    assert "breed" not in result.stdout
    again = run(manifest, "--model", model, "--by", "light", "--json")
    report = SaliencyReport.model_validate_json(again.stdout)
    assert [one.variable for one in report.variables] == ["light"]
    assert report.model.startswith("tiny@")


def test_the_declaration_decides_what_a_variable_is(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declaration = tmp_path / "variables.yaml"
    declaration.write_text("variables:\n  light: {type: ordinal, values: [dusk, day]}\n")
    monkeypatch.setenv("PERENNIAL_VARIABLES", str(declaration))
    model = write_tiny(tmp_path / "tiny")
    monkeypatch.setenv("PERENNIAL_MODEL", str(model))
    (one,) = SaliencyReport.model_validate_json(run(manifest, "--json").stdout).variables
    assert (one.variable, one.kind, one.groups) == ("light", "ordinal", ("dusk", "day"))


def test_what_is_wrong_is_named_before_anything_is_embedded(manifest: Path, tmp_path: Path) -> None:
    for arguments, why in (
        (["--split", 9], "there is no split 9; there are 0, 1, 2, 3, 4"),
        (["--by", "weather"], "no image has the variable 'weather'; known: date, light"),
        (["--by", "site"], "there is no variable to look at: background site"),
        (["--model", tmp_path / "none"], "no model folder"),
        (["--permutations", 98], "greater than or equal to 99"),
    ):
        result = run(manifest, *arguments)
        assert result.exit_code == 2
        assert why in said(result)


def test_the_command_line_starts_without_what_only_the_page_needs() -> None:
    program = "import sys, infra.cli; print([m for m in ('umap', 'plotly', 'sklearn', 'torch') "
    program += "if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
