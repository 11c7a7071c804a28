"""What the heads of a model tell of the test images, in the report of an evaluation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner, Result

from infra.cli import app
from lab.evaluate.models import heads_report
from lab.evaluate.report import Evaluation, HeadReport
from lab.evaluate.words import HEADS, summary
from lab.images.embed import EmbeddedImages
from lab.images.manifest import ManifestRow
from lab.shown.markdown import TerminalMarkdown
from recognition.protocol import Part
from schemas.variables import Binary, Continuous
from tests.image_set import write_image_set
from tests.unit.angles import at_angles, split, trial
from tests.unit.test_models_figures import evaluation, variant
from tests.unit.training_samples import ARCHITECTURE, config
from workers.model.model_folder import read_model
from workers.model.photometric import Light
from workers.training.augment import Augmentation
from workers.training.auxiliary import AuxiliaryHeads, load_heads
from workers.training.tasks import Aim, Task
from workers.training.variables import LearnedVariable


def row(number: int, **background: str | float) -> ManifestRow:
    return ManifestRow(f"{number}.jpg", Path(f"{number}.jpg"), "x", None, None, background)


def heads(light: float) -> AuxiliaryHeads:
    """Say "night" of everything where ``light`` is above 0, and 2 degrees."""
    names = Binary(type="binary", values=("day", "night"))
    variables = [
        LearnedVariable.restore("light", names),
        LearnedVariable.restore("t", Continuous(type="continuous"), 1, 2),
    ]
    made = AuxiliaryHeads(2, variables, [Task("light"), Task("t", aim=Aim.ERASE)])
    for parameter in made.parameters():
        torch.nn.init.zeros_(parameter)
    for head, bias in zip(made.heads, (light, 0.5), strict=True):
        torch.nn.init.constant_(head.get_parameter("out.bias"), bias)
    return made


def embedded(made: AuxiliaryHeads | None) -> EmbeddedImages:
    vectors = at_angles([0, 10, 20, 30, 40, 50])
    vectors[5] = np.nan
    return EmbeddedImages("herd@1", vectors, {}, 1.0, made)


def test_figures_are_of_the_test_images_and_averaged_over_the_splits() -> None:
    calibrate = {Part.CALIBRATE: trial([2], [2])}
    splits = [
        split({Part.TEST: trial([0], [1, 3]), **calibrate}),
        split({Part.TEST: trial([0, 1], [4, 5])}, number=1),
    ]
    rows = [
        row(0, light="day", t=2),
        row(1, light="night", t=4),
        row(2, light="day", t=100),
        row(3, light="night", t="cold"),  # no number: other data may use the name otherwise
        row(4),
        row(5, light="day", t=100),  # has no embedding
    ]
    made = {0: embedded(heads(1)), 1: embedded(heads(-1))}
    light, t = heads_report(rows, splits, made)
    # Half of each split's values are right, balanced: all night, then all day.
    assert light == HeadReport(
        variable="light",
        aim="predict",
        measure="balanced accuracy",
        value=0.5,
        spread=0,
        chance=0.5,
        images=5,
    )
    # Always 2 degrees, of 2 and 4; by chance the median of the train images, 1.
    assert (t.variable, t.aim, t.measure, t.images) == ("t", "erase", "mean absolute error", 4)
    assert t.value == pytest.approx(1)
    assert t.chance == pytest.approx(2)


def test_a_variable_that_the_images_lack_has_no_figure() -> None:
    splits = [split({Part.TEST: trial([0], [1])})]
    light, t = heads_report([row(0), row(1, light="day")], splits, {0: embedded(heads(1))})
    assert (light.value, light.spread, light.chance, light.images) == (0, None, 1, 1)
    assert (t.value, t.spread, t.chance, t.images) == (None, None, None, 0)


def test_a_model_without_heads_tells_nothing() -> None:
    splits = [split({Part.TEST: trial([0], [1])})]
    assert heads_report([row(0), row(1)], splits, {0: embedded(None)}) == ()


def run(command: str, *arguments: object) -> Result:
    result = CliRunner().invoke(app, [*command.split(), *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result


def shown(report: Evaluation) -> str:
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(TerminalMarkdown(summary(report)))
    return captured.get()


@pytest.mark.usefixtures("one_thread")
def test_what_was_learned_is_told_of_new_identities(tmp_path: Path) -> None:
    """Winter is darker, and the network sees the light as it is."""
    manifest = write_image_set(tmp_path / "herd", 16, 4)
    settings = tmp_path / "config.json"
    made = config(
        ARCHITECTURE.model_copy(update={"light": Light.KEEP}),
        steps=60,
        evaluate_every=60,
        augmentation=Augmentation(strength=0),
    )
    settings.write_text(made.model_dump_json())
    told, silent = tmp_path / "told", tmp_path / "silent"
    run("train", manifest, "--out", told, "--config", settings, "--predict", "season*3")
    run("train", manifest, "--out", silent, "--config", settings, "--steps", 1)
    run("model export", told, tmp_path / "exported")
    assert load_heads(*read_model(tmp_path / "exported")) is not None

    models = ["--model", silent / "model", "--model", tmp_path / "exported", "--model", "plain"]
    options = ["--split", 0, "--draws", 5, "--out", tmp_path / "evaluation"]
    printed = run("evaluate", manifest, *models, *options).stdout
    file = tmp_path / "evaluation" / "evaluation.json"
    report = Evaluation.model_validate_json(file.read_bytes())
    without, exported, plain = report.variants
    (season,) = exported.heads
    assert (season.variable, season.aim, season.chance) == ("season", "predict", 0.5)
    assert season.value is not None
    assert season.value > 0.8
    assert season.images > 10
    page = (tmp_path / "evaluation" / "evaluation.md").read_text()
    line = f"| exported | season | predict | balanced accuracy | {season.value:.3f} | 0.500 |"
    assert f"## {HEADS}" in page
    assert line in page
    assert HEADS in printed
    assert without.heads == plain.heads == ()


def test_without_heads_there_is_no_such_section(tmp_path: Path) -> None:
    bare = evaluation(variant("herd", {0: "herd@1"}, 0.5))
    assert HEADS not in shown(bare)
    head = HeadReport(
        variable="hour",
        aim="erase",
        measure="mean circular error",
        value=1.25,
        spread=0.5,
        chance=None,
        images=7,
    )
    one = bare.variants[0].model_copy(update={"heads": (head,)})
    text = shown(bare.model_copy(update={"variants": (one,)}))
    assert HEADS in text
    assert "1.250 ± 0.500" in text
