"""A classifier of somebody else, imported, on its way through the whole stream."""

import asyncio
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from infra.local.stack import stack
from schemas.settings import Settings
from tests.services.commands import Run
from tests.services.kafka import indexed
from tests.unit.others_models import IMAGENET, ORIENTATION_FEATURES, orientation

NAMES = ("ada", "bea", "cleo")


def photograph(path: Path, seed: int, noise: float = 0.0) -> None:
    """Write blobs that the seed alone decides, with noise on them."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.float32)
    blobs = cv2.resize(coarse, (240, 240), interpolation=cv2.INTER_CUBIC)
    pixels = np.random.default_rng(99).normal(blobs, noise)
    assert cv2.imwrite(str(path), pixels.clip(0, 255).astype(np.uint8))


def test_its_features_tell_who_is_nearest(
    settings: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    arguments = ("model", "import", orientation(), model, *IMAGENET, "--name", "page-orientation")
    imported = run(*arguments, "--output", ORIENTATION_FEATURES)
    assert imported.exit_code == 0, imported.stderr
    monkeypatch.setenv("PERENNIAL_MODEL", str(model))
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed, name in enumerate(NAMES):
        photograph(photos / f"{name}.png", seed)
    manifest = photos / "manifest.csv"
    manifest.write_text("path,label\n" + "".join(f"{name}.png,{name}\n" for name in NAMES))
    photograph(tmp_path / "new.png", NAMES.index("bea"), noise=8)

    own = settings.model_copy(update={"model": model, "worker_port": 0, "streams_port": 0})
    with stack(own, run_dir=tmp_path / "run"):
        enrolled = run("enrol", manifest, "--json")
        assert enrolled.exit_code == 0, enrolled.stderr
        assert json.loads(enrolled.stdout)["enrolled"] == len(NAMES)
        asyncio.run(indexed(own, len(NAMES)))
        published = run("publish", tmp_path / "new.png", "--wait", "--json")
        assert published.exit_code == 0, published.stderr
        # Three entries allow no threshold: a person is asked, and is shown who is nearest.
        (question,) = json.loads(run("review", "list", "--json").stdout)
    assert question["candidates"][0]["identity"] == "bea"
    assert question["model"].startswith("page-orientation@")
