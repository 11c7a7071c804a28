"""A run from its first step to the model folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from schemas.choices import Device, Precision
from schemas.errors import SetupError
from schemas.settings import load_settings
from tests.unit.training_runs import logged, read_history, run, weights
from tests.unit.training_samples import CPU, DIMENSION, as_frames, config, data, samples
from workers.model.model import EmbeddingModel, load_model
from workers.model.model_folder import DIRECTIONS, read_model
from workers.training import finish, loop
from workers.training.board import TensorBoard
from workers.training.config import TrainingConfig
from workers.training.data import Best, Samples, TrainingData
from workers.training.learner import Learner
from workers.training.linear_map import LinearMetric, fit_linear_map
from workers.training.run_folder import TrainingFolder, save_checkpoint


def loaded(model: Path) -> EmbeddingModel:
    return load_model(load_settings(model=model, device=Device.CPU, precision=Precision.FLOAT32))


def scripted(monkeypatch: pytest.MonkeyPatch, *tpirs: float) -> None:
    """Let the looks at the calibrate part show these, one after the other."""
    script: Iterator[float] = iter(tpirs)
    monkeypatch.setattr(loop, "calibrate_tpir", lambda *_: next(script))


def test_a_run_leaves_everything_in_its_folder(tmp_path: Path) -> None:
    heard: list[tuple[int, Mapping[str, float]]] = []
    out = tmp_path / "runs" / "first"
    model = run(out, lambda step, figures: heard.append((step, dict(figures))))
    assert model == out / "model"
    assert {each.name for each in out.iterdir()} == {
        *("config.json", "checkpoint.pt", "metrics.jsonl", "curves.png", "tensorboard", "model")
    }
    assert TrainingConfig.model_validate_json((out / "config.json").read_bytes()) == config()
    history = read_history(out)
    assert [figures["step"] for figures in history] == [1, 2, 3, 4, 5, 6]
    assert heard == [
        (step, {name: value for name, value in figures.items() if name != "step"})
        for step, figures in enumerate(history, start=1)
    ]
    assert [f["step"] for f in history if "calibrate_tpir" in f] == [2, 4, 6]
    assert all(0 <= f["calibrate_tpir"] <= 1 for f in history if "calibrate_tpir" in f)
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert logged(out) == [1, 2, 3, 4, 5, 6]
    assert logged(out, "calibrate_tpir") == [2, 4, 6]


def test_the_projector_shows_the_calibrate_part(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(out)
    (folder,) = (out / "tensorboard").glob("*/projector")
    lines = (folder / "metadata.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["identity", "season", "hour"]
    assert lines[1].split("\t") == ["id0", "summer", "6"]
    assert len(lines) == 1 + len(data().calibrate)
    assert (folder / "sprite.png").stat().st_size > 0


def test_the_model_tells_where_it_comes_from(tmp_path: Path) -> None:
    card, tensors = read_model(run(tmp_path, predict=["season"], erase=["hour:continuous"]))
    assert card.name == "tiny"
    assert card.about == "conv4 trained with multi-similarity"
    told = card.training
    assert told is not None
    assert TrainingConfig.model_validate(told["config"]).predict == ("season",)
    assert told["data"] == {
        "train_images": 24,
        "train_identities": 6,
        "calibrate_images": 16,
        "calibrate_identities": 4,
    }
    best = max((f.get("calibrate_tpir", -1), -f["step"]) for f in read_history(tmp_path))
    assert (
        told["calibrate_tpir_at_fpir_0.05"] == pytest.approx(best[0], abs=1e-4)
        or told["best_step"] == 0
    )
    heads = told["heads_on_calibrate"]
    assert isinstance(heads, dict)
    assert heads.keys() == {"season", "hour"}
    directions = told["directions"]
    assert isinstance(directions, dict)
    assert directions.keys() == {"season", "hour"}
    season = directions["season"]
    assert isinstance(season, dict)
    assert season["toward"] == ["winter"]
    assert season["images"] == 24
    vectors = {name: each for name, each in tensors.items() if name.startswith(DIRECTIONS)}
    assert vectors.keys() == {"directions.season", "directions.hour"}
    for vector in vectors.values():
        assert vector.shape == (1, DIMENSION)
        assert float(vector.norm()) == pytest.approx(1, abs=1e-5)


def test_a_variable_of_many_names_has_no_direction(tmp_path: Path) -> None:
    many = samples(identities=9)
    backgrounds = tuple({"frame": f"f{number}"} for number in range(len(many)))
    renamed = Samples(many.images, many.labels, many.sessions, backgrounds)
    parts = TrainingData(renamed, data().calibrate)
    loop.train(config(steps=0), parts, tmp_path, CPU)
    card, tensors = read_model(tmp_path / "model")
    assert card.training is not None
    assert card.training["directions"] == {}
    assert not [name for name in tensors if name.startswith(DIRECTIONS)]


def test_the_exported_model_gives_the_embeddings_of_the_kept_weights(tmp_path: Path) -> None:
    learner = Learner(config(), data().train, CPU)
    for number in range(2):
        learner.step(number)
    calibrate, kept = data().calibrate, learner.weights()
    expected = learner.embed(calibrate.images)
    for number in range(2, 6):
        learner.step(number)
    assert not np.allclose(learner.embed(calibrate.images), expected, atol=1e-3)
    folder = TrainingFolder(tmp_path)
    with TensorBoard(folder.board) as board:
        model = finish.finish(learner, kept, Best(0.5, 2), data(), folder, board)
    np.testing.assert_allclose(loaded(model).embed(as_frames(calibrate)), expected, atol=1e-5)
    shown = np.loadtxt(folder.board / "00002" / "projector" / "tensors.tsv", delimiter="\t")
    np.testing.assert_allclose(shown, expected, atol=1e-5)


def test_without_steps_the_start_is_the_model(tmp_path: Path) -> None:
    model = run(tmp_path, steps=0)
    learner = Learner(config(steps=0), data().train, CPU)
    for name, tensor in learner.weights().items():
        assert torch.equal(read_model(model)[1][name], tensor), name
    assert (tmp_path / "curves.png").is_file()
    assert read_history(tmp_path) == []
    card = read_model(model)[0]
    assert card.training is not None
    assert card.training["best_step"] == 0


def test_the_best_weights_are_kept_and_patience_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, 0.1, 0.5, 0.3, 0.2)
    model = run(tmp_path, steps=60, patience=2)
    assert [f["step"] for f in read_history(tmp_path)] == [1, 2, 3, 4, 5, 6]
    learner = Learner(config(steps=60), data().train, CPU)
    for number in range(2):
        learner.step(number)
    found = read_model(model)[1]
    for name, tensor in learner.weights().items():
        assert torch.equal(found[name], tensor), name
    card = read_model(model)[0]
    assert card.training is not None
    assert (card.training["best_step"], card.training["calibrate_tpir_at_fpir_0.05"]) == (2, 0.5)


def test_a_run_that_ended_early_ends_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, 0.1, 0.5, 0.3, 0.2)
    run(tmp_path, steps=60, patience=2)
    before, lines = weights(tmp_path), (tmp_path / "metrics.jsonl").read_bytes()
    scripted(monkeypatch)  # a look would fail
    run(tmp_path, steps=60, patience=2)
    assert weights(tmp_path) == before
    assert (tmp_path / "metrics.jsonl").read_bytes() == lines


def test_the_start_may_be_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, 0.9, 0.5, 0.3, 0.9)
    card, found = read_model(run(tmp_path))
    assert card.training is not None
    assert card.training["best_step"] == 0
    start = Learner(config(), data().train, CPU).weights()
    assert torch.equal(found["head.weight"], start["head.weight"])


def test_other_settings_are_refused(tmp_path: Path) -> None:
    run(tmp_path)
    before = weights(tmp_path)
    with pytest.raises(SetupError, match="other settings"):
        run(tmp_path, seed=1)
    assert weights(tmp_path) == before


def test_settings_that_never_worked_do_not_hold_the_folder(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no value to group by"):
        run(tmp_path, group_by=["weather"])
    assert run(tmp_path).is_dir()


def test_a_run_of_other_images_is_refused(tmp_path: Path) -> None:
    run(tmp_path, loss="arcface")
    parts = TrainingData(samples(7), data().calibrate)
    with pytest.raises(SetupError, match=r"checkpoint\.pt is not of these images"):
        loop.train(config(loss="arcface"), parts, tmp_path, CPU)


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    save_checkpoint(tmp_path / "checkpoint.pt", {"step": 2, "learner": {}})
    with pytest.raises(SetupError, match=r"checkpoint\.pt"):
        run(tmp_path)


def test_a_calibrate_part_without_two_identities_is_refused(tmp_path: Path) -> None:
    parts = TrainingData(samples(), samples(1, seed=1))
    with pytest.raises(SetupError, match="calibrate part: 1 identities"):
        loop.train(config(), parts, tmp_path, CPU)


def test_a_run_that_diverges_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="diverged"):
        run(tmp_path, backbone_rate=1e30, head_rate=1e30, clip=1e30)


@pytest.mark.parametrize(("shown", "folded"), [(2.0, True), (-1.0, False)])
@pytest.mark.parametrize("metric", LinearMetric)
def test_a_linear_map_is_folded_in_where_it_helps(
    metric: LinearMetric,
    shown: float,
    folded: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finish, "calibrate_tpir", lambda *_: shown)
    model = run(tmp_path, linear_map=metric, steps=0)
    plain = Learner(config(steps=0), data().train, CPU)
    train, calibrate = (plain.embed(part.images) for part in (data().train, data().calibrate))
    card = read_model(model)[0]
    assert card.training is not None
    assert card.training["calibrate_tpir_with_linear_map"] == shown
    learned = fit_linear_map(train, data().train.labels, metric, DIMENSION, 0)
    mapped = calibrate @ learned.T
    expected = mapped / np.linalg.norm(mapped, axis=1, keepdims=True) if folded else calibrate
    found = loaded(model).embed(as_frames(data().calibrate))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.allclose(expected, calibrate, atol=1e-2) is not folded
