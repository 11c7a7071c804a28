"""Training and embedding in 32 bits: the same numbers, as nearly as convolutions give them."""

import json
from pathlib import Path
from typing import Final

from tests.golden.conftest import Command, Golden
from tests.golden.stored import INPUTS, MODEL, embedded
from tests.image_set import patterns, write_image_set

TRAINED: Final = 1e-3


def test_training(tmp_path: Path, command: Command, golden: Golden) -> None:
    manifest = write_image_set(tmp_path / "set", 24, 4)
    run = tmp_path / "run"
    said = command("train", manifest, "--out", run, "--config", INPUTS / "training.json")
    said["data"].pop("manifest")
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    seen = embedded(Path(said.pop("model")), patterns(2, 2, 16, seed=7)[:, 0])
    value = {**said, "steps": steps, "embeddings": seen}
    golden("training", value, within=TRAINED, by_norm=True)


def test_embedding(golden: Golden) -> None:
    small, large = patterns(2, 1, 16, seed=8)[:, 0], patterns(2, 1, 224, seed=9)[:, 0]
    value = {
        "stored": embedded(MODEL, small),
        "stored, crops": embedded(MODEL, small, "crops"),
        "default": embedded(None, large),
    }
    golden("embedding", value, within=TRAINED, by_norm=True)
