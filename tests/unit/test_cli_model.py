"""``perennial model``: export, show, list."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from infra.cli import app
from lab.cards.figures import evaluation_of
from schemas.choices import Device, Precision
from schemas.settings import load_settings
from tests.environment import default_settings
from tests.unit.test_models_figures import evaluation, variant
from tests.unit.tiny_models import TRAINING, write_tiny
from workers.model.model import EmbeddingModel, load_model
from workers.model.model_folder import CARD, WEIGHTS, read_model, version


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    default_settings(monkeypatch)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["model", *map(str, arguments)])


def said(result: Result) -> str:
    """What was complained of, without the frame and the line breaks."""
    return " ".join(result.stderr.translate(dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")).split())


def version_of(folder: Path) -> str:
    return version(*read_model(folder))


def load(folder: Path) -> EmbeddingModel:
    return load_model(load_settings(model=folder, device=Device.CPU, precision=Precision.FLOAT32))


class Trap:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A training run whose checkpoint must not be opened."""
    folder = tmp_path / "run"
    write_tiny(folder / "model", training=TRAINING)
    (folder / "config.json").write_text("{}")
    (folder / "checkpoint.pt").write_bytes(pickle.dumps(Trap(tmp_path / "opened")))
    return folder


def measured(path: Path, *versions: str) -> Path:
    models = dict(enumerate(versions))
    report = evaluation(variant("herd", models, *[0.5] * len(models)))
    path.write_text(report.model_dump_json())
    return path


def test_an_export_is_the_model_with_all_that_is_known_of_it(trained: Path, tmp_path: Path) -> None:
    before = version_of(trained / "model")
    file = measured(tmp_path / "evaluation.json", before, before)
    out = tmp_path / "models" / "herd"
    result = run("export", trained, out, "--evaluation", file, "--about", "Cows, one | spring")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"wrote {out}: {before}\n"
    assert {path.name for path in out.iterdir()} == {CARD, WEIGHTS, "README.md"}
    assert list(out.parent.iterdir()) == [out], "nothing is left beside it"
    assert len({path.stat().st_mode for path in out.iterdir()}) == 1, "who reads one reads all"
    assert version_of(out) == before
    card, weights = read_model(out)
    assert card.about == "Cows, one | spring"
    assert card.training == TRAINING
    assert "directions.hour" in weights
    figures = evaluation_of(card)
    assert figures is not None
    assert figures.variants[0].scenarios["mixed"].measures["rank1"].mean == 0.5
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(load(out).embed(image), load(trained / "model").embed(image))
    assert not (tmp_path / "opened").exists()


def test_the_page_tells_people_all_of_it(trained: Path, tmp_path: Path) -> None:
    file = measured(tmp_path / "evaluation.json", version_of(trained / "model"), "other@1")
    assert run("export", trained, tmp_path / "out", "--evaluation", file).exit_code == 0
    page = (tmp_path / "out" / "README.md").read_text()
    assert page.startswith(f"# {version_of(tmp_path / 'out')}\n")
    for line in (
        "- embedding: 8 numbers, unit norm",
        "- input: 16 × 16 pixels (height × width), colour",
        "- backbone: conv4",
        "- train images: 120",
        "- loss: 0.1*arcface+triplet",
        "- blind to: light",
        "- calibrate TPIR at FPIR 0.05: 0.625",
        "| light | balanced accuracy | 0.91 | 0.5 | 30 |",
        "| hour | mean circular error | 1.25 |  | 120 |",
        "On herd (96 images), 2026-05-01.",
        "cosine distance; views: none (1); split 0; 1.5 ms an image",
        "| mixed | 5 % | 0.500 [0.375, 0.625] | 0.500 [0.375, 0.625] | 0.500 [0.375, 0.625] |",
        "| mixed, 2 splits, each with its own model of this kind | 5 % | 0.500 ± 0.250",
    ):
        assert line in page
    assert "metric learned" not in page, "what was not used is not told"


def test_a_card_that_says_nothing_or_something_unknown(tmp_path: Path) -> None:
    bare = write_tiny(tmp_path / "bare")
    strange = write_tiny(tmp_path / "strange", training={"directions": "north"})
    card = json.loads((strange / CARD).read_text())
    (strange / CARD).write_text(json.dumps({**card, "evaluation": {"accuracy": 1.0}}))
    for folder in (bare, strange):
        result = run("show", folder)
        assert result.exit_code == 0, result.output
        assert "Nothing is said of it." in result.stdout
        assert "Not evaluated yet." in result.stdout
    listed = json.loads(run("list", tmp_path, "--json").stdout)
    assert [one["tpir"] for one in listed] == [{}, {}]


def test_a_folder_with_something_in_it_is_kept_unless_forced(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    result = run("export", trained, out)
    assert result.exit_code == 2
    assert "has something in it" in said(result)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
    assert run("export", trained, out, "--force").exit_code == 0
    assert (out / "notes.txt").read_text() == "mine"
    assert version_of(out) == version_of(trained / "model")


def test_a_model_may_be_exported_onto_itself(trained: Path, tmp_path: Path) -> None:
    model = trained / "model"
    before, weights = version_of(model), load_file(model / WEIGHTS)
    weights = {name: tensor.clone() for name, tensor in weights.items()}
    file = measured(tmp_path / "evaluation.json", before)
    assert run("export", trained, model, "--evaluation", file, "--force").exit_code == 0
    card, after = read_model(model)
    assert card.evaluation is not None
    assert version_of(model) == before
    assert all(torch.equal(after[name], tensor) for name, tensor in weights.items())
    # What was measured stays when it is exported again.
    assert run("export", model, tmp_path / "again").exit_code == 0
    assert read_model(tmp_path / "again")[0].evaluation == card.evaluation


def test_another_name_is_another_version_and_that_is_said(trained: Path, tmp_path: Path) -> None:
    before = version_of(trained / "model")
    file = measured(tmp_path / "evaluation.json", before)
    out = tmp_path / "out"
    result = run("export", trained, out, "--name", "herd-2026", "--evaluation", file)
    assert result.exit_code == 0, result.output
    assert version_of(out) == before.replace("tiny@", "herd-2026@")
    assert "enrol the gallery anew" in said(result)
    figures = evaluation_of(read_model(out)[0])
    assert figures is not None
    assert figures.variants[0].version == before, "as it was called then"


def test_what_does_not_fit_is_refused_and_nothing_is_written(trained: Path, tmp_path: Path) -> None:
    other = write_tiny(tmp_path / "other", seed=1)
    file = measured(tmp_path / "evaluation.json", version_of(other))
    (tmp_path / "text.json").write_text('{"accuracy": 1}')
    (tmp_path / "file").write_text("")
    ours, theirs = version_of(trained / "model"), version_of(other)
    for options, complaint in (
        (["--evaluation", file], f"evaluation is of {theirs}, and the model is {ours}"),
        (["--evaluation", tmp_path / "text.json"], "text.json is no evaluation.json"),
        (["--name", "a b"], "name: "),
    ):
        result = run("export", trained, tmp_path / "out", *options)
        assert result.exit_code == 2
        assert complaint in said(result)
        assert not (tmp_path / "out").exists()
    result = run("export", trained, tmp_path / "file" / "out")
    assert result.exit_code == 2
    assert "choose another folder" in said(result)


def test_a_model_that_no_worker_could_load_is_not_handed_on(tmp_path: Path) -> None:
    model = write_tiny(tmp_path / "model")
    card = json.loads((model / CARD).read_text())
    card["architecture"]["dimension"] = 4
    (model / CARD).write_text(json.dumps(card))
    result = run("export", model, tmp_path / "out")
    assert result.exit_code == 2
    assert "weights do not fit tiny" in said(result)
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


@pytest.mark.parametrize("pickled", ["model.pt", "pytorch_model.bin", "model.PKL"])
@pytest.mark.parametrize("command", ["show", "export"])
def test_a_pickle_is_refused_unopened(command: str, pickled: str, tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "model")
    (folder / WEIGHTS).unlink()
    (folder / pickled).write_bytes(pickle.dumps(Trap(tmp_path / "opened")))
    result = run(command, folder, *([tmp_path / "out"] if command == "export" else []))
    assert result.exit_code == 2
    assert f"has {pickled} instead of {WEIGHTS}" in said(result)
    assert "safetensors.torch.save_file" in said(result)
    assert not (tmp_path / "opened").exists()


def test_what_is_no_model_is_named(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    half = tmp_path / "half"
    half.mkdir()
    (half / "config.json").write_text("{}")
    (half / "tensorboard").mkdir()
    damaged = write_tiny(tmp_path / "damaged")
    (damaged / WEIGHTS).write_bytes(pickle.dumps(Trap(tmp_path / "opened")))
    for folder, complaint in (
        (tmp_path / "empty", f"no {CARD} and no {WEIGHTS}"),
        (half, "a training run that is not finished"),
        (damaged, "damaged"),
        (tmp_path / "none", "does not exist"),
        (trained / "checkpoint.pt", "is a file"),
    ):
        result = run("show", folder)
        assert result.exit_code == 2
        assert complaint in said(result)
    assert not (tmp_path / "opened").exists()


def test_show(trained: Path) -> None:
    shown = run("show", trained).stdout
    assert version_of(trained / "model") in shown
    assert "mean circular error" in shown
    found = json.loads(run("show", trained, "--json").stdout)
    assert found["version"] == version_of(trained / "model")
    assert found["path"] == str(trained / "model")
    assert found["training"] == TRAINING
    _, weights = read_model(trained / "model")
    assert found["parameters"] == sum(t.numel() for t in weights.values()) - 2 * 8


def test_list(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = measured(tmp_path / "evaluation.json", version_of(trained / "model"))
    assert run("export", trained, tmp_path / "models", "--evaluation", file).exit_code == 0
    write_tiny(tmp_path / ".hidden")
    write_tiny(tmp_path / "zebra" / "new", name="zebra")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / CARD).write_text("{}")
    result = run("list", tmp_path, tmp_path / "zebra", "--json")
    listed = json.loads(result.stdout)
    assert [(Path(one["path"]).name, one["tpir"]) for one in listed] == [
        ("models", {"mixed": 0.5}),
        ("model", {"calibrate": 0.625}),
        ("new", {}),
    ]
    assert listed[0]["input_size"] == [16, 16]
    assert listed[0]["dimension"] == 8
    assert "left out" in result.stderr
    assert "broken" in result.stderr
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    rows = [line.split() for line in run("list").stdout.splitlines()]
    assert rows[1][1:] == ["8", "16×16", "mixed", "0.500", "models"]
    assert rows[2][-3:] == ["calibrate", "0.625", "run/model"]
    assert rows[3][-2:] == ["–", "zebra/new"]
    assert len(rows) == 4
