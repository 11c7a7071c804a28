"""The peer: its budget, its crops and its loop."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks.peer_training import __main__ as peer_training
from benchmarks.peer_training import loop, race
from benchmarks.peer_training.budget import Budget
from benchmarks.peer_training.crops import RATIO, SCALE, random_resized_crops
from benchmarks.peer_training.loop import Trained, embed, train_peer
from tests.image_set import write_image_set
from tests.unit.tiny_models import write_tiny
from tests.unit.training_samples import CPU, samples
from workers.training.data import Samples, TrainingData


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_only_steps_are_charged() -> None:
    clock = Clock()
    budget = Budget(seconds=10, clock=clock)
    for _ in range(3):
        clock.now += 50  # a look at calibrate
        assert not budget.spent()
        with budget.step():
            clock.now += 4
    assert (budget.seconds, budget.steps, budget.share) == (12, 3, 1.2)
    assert budget.spent()


def test_whichever_is_spent_first() -> None:
    clock = Clock()
    budget = Budget(seconds=10, steps=2, clock=clock)
    for _ in range(2):
        with budget.step():
            clock.now += 1
    assert budget.spent()
    for limits in ((None, None), (0, None), (5, 0)):
        with pytest.raises(ValueError, match="expected seconds or steps above 0"):
            Budget(*limits)


def test_crops_are_pieces_of_the_image() -> None:
    height, width = 32, 24
    across = torch.linspace(0, 1, width).view(1, 1, 1, -1).expand(400, 1, height, width)
    along = torch.linspace(0, 1, height).view(1, 1, -1, 1).expand(400, 1, height, width)
    ramps = torch.cat([across, along], dim=1)
    crops = random_resized_crops(ramps, torch.Generator().manual_seed(0))
    assert crops.shape == ramps.shape
    assert crops.min() >= 0
    assert crops.max() <= 1
    # A linear ramp is seen with the slope of the crop; the borders repeat the last pixel.
    steps_across = (crops[:, 0, 16, 13] - crops[:, 0, 16, 11]) / 2 * (width - 1)
    steps_along = (crops[:, 1, 17, 12] - crops[:, 1, 15, 12]) / 2 * (height - 1)
    assert (steps_along > 0).all()
    mirrored = (steps_across < 0).float().mean()
    assert 0.4 < mirrored < 0.6
    wide, tall = steps_across.abs(), steps_along
    area, ratio = wide * tall, wide * width / (tall * height)
    free = (wide < 0.98) & (tall < 0.98)  # the others were cut to the image
    assert area.min() > SCALE[0] - 0.01
    assert area.max() > 0.85
    assert ratio[free].min() > RATIO[0] - 0.01
    assert ratio[free].max() < RATIO[1] + 0.01
    again = random_resized_crops(ramps, torch.Generator().manual_seed(0))
    assert torch.equal(crops, again)


def in_colour(some: Samples) -> Samples:
    return replace(some, images=some.images.expand(-1, 3, -1, -1).contiguous())


DATA = TrainingData(in_colour(samples()), in_colour(samples(4, seed=1)))


def trained(steps: int, seed: int = 0) -> Trained:
    return train_peer(DATA, Budget(steps=steps), CPU, backbone="conv4", dimension=4, seed=seed)


def test_the_loop_learns_and_keeps_its_best() -> None:
    heard: list[None] = []
    done = train_peer(
        DATA,
        Budget(steps=3),
        CPU,
        backbone="conv4",
        dimension=4,
        on_step=lambda: heard.append(None),
    )
    assert (done.steps, len(heard)) == (3, 3)
    assert 0 <= done.best.step <= 3
    assert 0 <= done.best.tpir <= 1
    vectors = embed(done.peer, DATA.train.images, CPU)
    assert vectors.shape == (24, 4)
    assert (vectors**2).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_the_epoch_that_looked_best_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter((0.1, 0.7, 0.4))
    seen: list[NDArray[np.float32]] = []

    def look(vectors: NDArray[np.float32], _: Samples) -> float:
        seen.append(vectors)
        return next(looks)

    monkeypatch.setattr(loop, "calibrate_tpir", look)
    done = trained(2)  # an epoch has one batch
    assert (done.best.tpir, done.best.step) == (0.7, 1)
    assert np.array_equal(embed(done.peer, DATA.calibrate.images, CPU), seen[1])
    assert not np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[1], seen[2])


def test_the_same_seed_trains_the_same_peer() -> None:
    one, same, other = (trained(3, seed).peer.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["embedder.weight"], other["embedder.weight"])


def test_from_images_to_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(*arguments: object, **named: object) -> Trained:
        return train_peer(*arguments, backbone="conv4", **named)  # type: ignore[arg-type]

    monkeypatch.setattr(race, "train_peer", small)
    manifest = write_image_set(tmp_path / "set", identities=15, shots=4)
    for split in (0, 2):
        write_tiny(tmp_path / f"model{split}")
    out = tmp_path / "out"
    peer_training.main(
        manifest,
        model=str(tmp_path / "model{split}"),
        split=[0, 2],
        seconds=None,
        steps=2,
        size=["16x16", "32x16"],
        dimension=8,
        seed=0,
        draws=20,
        out=out,
    )
    found = json.loads((out / "peer_training.json").read_bytes())
    tried = [(one["split"], one["size"], one["steps"]) for one in found["peer"]]
    assert tried == [(0, "16x16", 2), (0, "32x16", 2), (2, "16x16", 2), (2, "32x16", 2)]
    names = [variant["name"] for variant in found["evaluation"]["variants"]]
    assert names == ["library example", "perennial", "plain backbone"]
    difference = found["evaluation"]["differences"][0]
    assert (difference["variant"], difference["baseline"]) == ("perennial", "library example")
    assert difference["scenarios"]["mixed"]["tpir@0.05/oracle"]["low"] is not None
    page = (out / "peer_training.md").read_text()
    assert "had 2 steps of training" in page
    assert "| scenario | more than library example |" in page
