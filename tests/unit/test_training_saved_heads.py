"""Auxiliary heads in a model folder: they come back as they were, and nothing else changes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from schemas.choices import Device, Precision
from schemas.errors import SetupError
from schemas.settings import load_settings
from tests.unit.tiny_models import TINY, write_tiny
from tests.unit.training_runs import learner, run
from tests.unit.training_samples import as_frames, data
from workers.model.model import load_model
from workers.model.model_folder import (
    CARD,
    HEADS,
    ModelCard,
    Weights,
    network_weights,
    read_model,
    version,
    write_model,
)
from workers.training import finish
from workers.training.auxiliary import AuxiliaryHeads, describe_heads, load_heads
from workers.training.tasks import Aim, Task, kinds_of, parse_task
from workers.training.variables import Targets, make_targets

TASKS = [
    parse_task("light*0.5"),
    parse_task("season", Aim.REVERSE),
    parse_task("age:ordinal(calf,yearling,adult)", Aim.ERASE),
    parse_task("t"),
    parse_task("depth:continuous(0,50)"),
    parse_task("hour:cyclic(24)"),
]
BACKGROUNDS = [
    {
        "light": ("day", "night")[row % 2],
        "season": ("spring", "summer", "autumn", "winter")[row % 4],
        "age": ("calf", "yearling", "adult")[row % 3],
        "t": (-4.5, 0, 3, 5, 11)[row % 5],
        "depth": (1, 2, 30)[row % 3],
        "hour": (23, 0, 5, 12.25)[row % 4],
    }
    for row in range(30)
]


def made(tasks: list[Task]) -> tuple[AuxiliaryHeads, Targets]:
    torch.manual_seed(1)
    targets = make_targets(BACKGROUNDS, np.arange(len(BACKGROUNDS)), kinds_of(tasks, {}))
    return AuxiliaryHeads(TINY.dimension, targets.variables, tasks), targets


def written(folder: Path, heads: AuxiliaryHeads) -> Path:
    weights = read_model(write_tiny(folder))[1]
    card = ModelCard(name="tiny", architecture=TINY, training={"heads": describe_heads(heads)})
    write_model(folder, card, {**weights, **heads.state_dict()})
    return folder


def test_heads_of_every_kind_come_back(tmp_path: Path) -> None:
    heads, targets = made(TASKS)
    back = load_heads(*read_model(written(tmp_path, heads)))
    assert back is not None
    assert [variable for _, variable in back.learned] == list(targets.variables)
    wanted = [(task.name, task.aim, task.weight) for task in TASKS]
    assert [(task.name, task.aim, task.weight) for task, _ in back.learned] == wanted
    embeddings = nn.functional.normalize(torch.randn(30, TINY.dimension), dim=1)
    assert back.report(embeddings, targets.values) == heads.report(embeddings, targets.values)
    other = made(TASKS)[0]
    for parameter in other.parameters():
        nn.init.normal_(parameter)
    assert other.report(embeddings, targets.values) != heads.report(embeddings, targets.values)


def test_neither_the_version_nor_the_vectors_depend_on_heads(tmp_path: Path) -> None:
    plain = write_tiny(tmp_path / "plain")
    full = written(tmp_path / "full", made(TASKS)[0])
    assert version(*read_model(full)) == version(*read_model(plain))
    one, other = (
        load_model(load_settings(model=folder, device=Device.CPU, precision=Precision.FLOAT32))
        for folder in (plain, full)
    )
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    assert one.version == other.version
    np.testing.assert_array_equal(one.embed(images), other.embed(images))


def test_a_model_without_heads(tmp_path: Path) -> None:
    assert load_heads(*read_model(write_tiny(tmp_path))) is None
    assert load_heads(*read_model(write_tiny(tmp_path, training={"best_step": 1}))) is None


@pytest.mark.parametrize("broken", ["fewer", "strange", "narrow"])
def test_a_card_that_does_not_fit_its_heads(broken: str, tmp_path: Path) -> None:
    path = written(tmp_path, made(TASKS)[0]) / CARD
    card = json.loads(path.read_text())
    heads = card["training"]["heads"]
    match broken:
        case "fewer":
            heads.pop()
        case "strange":
            card["training"]["heads"] = "light"
        case "narrow":
            heads[1]["kind"]["values"] = ["winter"]
    path.write_text(json.dumps(card))
    with pytest.raises(SetupError, match="auxiliary heads of tiny: "):
        load_heads(*read_model(tmp_path))


def test_going_back_to_kept_weights_takes_the_heads_along() -> None:
    one = learner(predict=["season"])
    one.step(0)
    kept = one.weights()
    one.step(1)
    assert not _same(one.weights(), kept)
    one.load_weights(kept)
    assert _same(one.weights(), kept)
    heads = {name: kept[name] for name in kept if name not in network_weights(kept)}
    assert _same(one.heads.state_dict(), heads)


def test_a_run_saves_the_heads_that_it_reports(tmp_path: Path) -> None:
    card, weights = read_model(run(tmp_path, predict=["season"], erase=["hour:cyclic(24)"]))
    back = load_heads(card, weights)
    assert back is not None
    assert card.training is not None
    model = load_model(
        load_settings(model=tmp_path / "model", device=Device.CPU, precision=Precision.FLOAT32)
    )
    unseen = data().calibrate
    codes = [[v.encode(b.get(v.name)) for _, v in back.learned] for b in unseen.backgrounds]
    found = back.report(torch.from_numpy(model.embed(as_frames(unseen))), torch.tensor(codes))
    told = card.training["heads_on_calibrate"]
    assert isinstance(told, dict)
    for name, figure in found.items():
        head = told[name]
        assert isinstance(head, dict)
        assert head["value"] == pytest.approx(figure.value, abs=1e-3)


def _same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


def test_a_linear_map_that_is_folded_in_leaves_no_heads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shown, kept in ((2.0, False), (-1.0, True)):
        monkeypatch.setattr(finish, "calibrate_tpir", lambda *_, shown=shown: shown)
        out = tmp_path / str(shown)
        card, weights = read_model(run(out, linear_map="nca", steps=0, predict=["season"]))
        assert (load_heads(card, weights) is not None) is kept
        assert any(name.startswith(HEADS) for name in weights) is kept
