"""What is shown of an evaluation: tables, Markdown and pictures."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from lab.evaluate.exam import Exam, ModelVariant, VariantResult
from lab.evaluate.measures import TPIR, at
from lab.evaluate.plots import missed
from lab.evaluate.report import Estimate, Evaluation
from lab.evaluate.run import write
from lab.evaluate.scored import OperatingTarget, Rule
from lab.evaluate.summary import Embedder, summarise
from lab.evaluate.words import between, change, markdown, percent, spread, summary, whole
from lab.shown.markdown import TerminalMarkdown
from recognition.evaluation import Identified, tpir_at_fpir
from recognition.protocol import make_splits
from recognition.value_groups import Groups
from schemas.errors import SetupError

LABELS = [f"id{i}" for i in range(16) for _ in range(6)]


def herd(noise: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(16, 8)), 6, axis=0)
    return (centres + noise * rng.normal(size=centres.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def evaluated() -> tuple[Evaluation, list[VariantResult]]:
    clear, blurred = herd(0.3), herd(0.8)
    light = Groups(("day", "a|b"), np.arange(len(LABELS)) % 2)
    exam = Exam(
        LABELS,
        make_splits(LABELS, [""] * len(LABELS), count=2),
        by={"light/1": light},
        fpirs=[0.2, 0.05],
        draws=60,
    )
    variants = (ModelVariant("blurred", lambda _: blurred), ModelVariant("clear", lambda _: clear))
    assessed = [exam.assess(variant) for variant in variants]
    report = summarise(
        exam,
        assessed,
        data="herd",
        images=len(LABELS),
        refused={"broken.jpg": "damaged"},
        embedders={"clear": Embedder({0: "clear@1", 1: "clear@2"}, 12.34)},
    )
    return report, assessed


def estimate(
    mean: float | None, spread: float | None = None, half: float | None = None
) -> Estimate:
    low, high = (None, None) if half is None or mean is None else (mean - half, mean + half)
    return Estimate(mean=mean, spread=spread, low=low, high=high, splits=())


def test_words() -> None:
    assert [percent(share) for share in (0.001, 0.05, 0.29)] == ["0.1 %", "5 %", "29 %"]
    sure = estimate(0.5, 0.25, 0.125)
    assert spread(sure) == "0.500 ± 0.250"
    assert between(sure) == "0.500 [0.375, 0.625]"
    assert whole(sure) == "0.500 ± 0.250 [0.375, 0.625]"
    assert change(sure) == "+0.500 [+0.375, +0.625]"
    assert spread(estimate(0.5)) == between(estimate(0.5)) == whole(estimate(0.5)) == "0.500"
    for nothing in (None, estimate(None)):
        assert {words(nothing) for words in (spread, between, whole, change)} == {"–"}


def test_the_screen_says_the_figures(evaluated: tuple[Evaluation, list[VariantResult]]) -> None:
    report, _ = evaluated
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(TerminalMarkdown(summary(report)))
    text = captured.get()
    scenario = report.variants[1].scenarios["mixed"]
    for name in ("rank1", "auroc", "tpir@0.05/oracle", "fpir@0.2/honest", "tpir@0.05/gallery"):
        assert spread(scenario.measures[name]) in text
    assert change(report.differences[0].scenarios["mixed"]["tpir@0.05/oracle"]) in text
    assert "more than blurred" in text
    assert [line.split()[-1] for line in text.splitlines() if " mixed"[1:] in line][:2] == [
        "–",
        "12.3",
    ]


def test_one_variant_is_compared_with_nothing(
    evaluated: tuple[Evaluation, list[VariantResult]],
) -> None:
    alone = evaluated[0].model_copy(update={"differences": ()})
    assert "## Differences" not in markdown(alone)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(TerminalMarkdown(summary(alone)))
    assert "more than" not in captured.get()


def test_markdown_tables_are_whole(evaluated: tuple[Evaluation, list[VariantResult]]) -> None:
    report, _ = evaluated
    page = markdown(report)
    blocks = [block for block in page.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 4  # overall, points, differences, light
    for block in blocks:
        columns = {line.replace("\\|", "").count("|") for line in block.splitlines()}
        assert len(columns) == 1
    assert "## By light/1" in page
    assert "a\\|b" in page
    assert "96 images, 1 refused" in page
    assert "clear: cosine distance; clear@1, clear@2; 12.3 ms an image" in page
    assert "+0." in page


def test_the_files(tmp_path: Path, evaluated: tuple[Evaluation, list[VariantResult]]) -> None:
    report, assessed = evaluated
    folder = tmp_path / "made" / "here"
    write(folder, report, assessed)
    names = {"evaluation.json", "evaluation.md", "det.png", "scores.png", "by_light_1.png"}
    assert {path.name for path in folder.iterdir()} == names
    read = Evaluation.model_validate(json.loads((folder / "evaluation.json").read_bytes()))
    assert read == report
    for name in names - {"evaluation.json", "evaluation.md"}:
        picture = cv2.imread(str(folder / name))
        assert picture is not None
        assert picture.shape[0] > 200
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20  # something is drawn


def test_pictures_are_made_without_global_state() -> None:
    code = "import sys, lab.evaluate.run; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, evaluated: tuple[Evaluation, list[VariantResult]]
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="another folder with --out"):
        write(tmp_path / "file", *evaluated)


def test_pictures_without_unknown_probes_or_a_calibrate_part(tmp_path: Path) -> None:
    split = make_splits(LABELS, [""] * len(LABELS), count=1)[0]
    (scenario, part), trial = next((k, t) for k, t in split.trials.items() if k[1] == "test")
    known = np.isin(np.array(LABELS)[trial.probes], np.array(LABELS)[trial.gallery])
    for probes in (trial.probes, trial.probes[known]):
        bare = type(split)(0, split.train, {(scenario, part): type(trial)(trial.gallery, probes)})
        light = {"light": Groups(("day", "night"), np.arange(len(LABELS)) % 2)}
        exam = Exam(LABELS, [bare], by=light, draws=5)
        clear = herd(0.3)
        assessed = [exam.assess(ModelVariant("clear", lambda _, v=clear: v))]  # type: ignore[misc]
        report = summarise(exam, assessed, data="herd", images=96, refused={}, embedders={})
        write(tmp_path, report, assessed)
        assert (tmp_path / "det.png").stat().st_size > 1000


def test_the_det_curve_goes_through_the_operating_points() -> None:
    rng = np.random.default_rng(0)
    known = rng.random(200) < 0.6
    found = Identified(
        rng.integers(0, 30, 200) / 10, known & (rng.random(200) < 0.7), known, np.full(200, "x")
    )
    fpirs = np.array([0.001, 0.01, 0.05, 0.2, 0.5, 0.9, 0.999])
    points = [1 - tpir_at_fpir(found, fpir).tpir for fpir in fpirs]
    assert missed(found, fpirs) == pytest.approx(points)
    assert np.isnan(missed(found.take(known), fpirs)).all()


def test_measures_have_a_name_at_each_point() -> None:
    assert at(TPIR, OperatingTarget(0.001, Rule.GALLERY)) == "tpir@0.001/gallery"
