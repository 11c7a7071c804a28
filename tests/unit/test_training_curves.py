"""The picture of a run is drawn from whatever was logged."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workers.training.board import draw_curves

WHOLE = [
    {"step": step, "loss": 1 / step, "learning_rate": 1e-3 * step, "calibrate_tpir": step / 20}
    for step in range(1, 11)
]
GAPS = [{"step": 1, "loss": math.nan}, {"step": 2, "loss": 1.0}, {"step": 3, "calibrate_tpir": 0.5}]


def ink(history: Sequence[Mapping[str, float]], path: Path) -> list[int]:
    """Coloured pixels in each third of the picture."""
    draw_curves(history, path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB")).astype(int)
    coloured = np.ptp(pixels, axis=2) > 60
    return [int(third.sum()) for third in np.array_split(coloured, 3, axis=1)]


def test_each_figure_has_its_panel(tmp_path: Path) -> None:
    assert min(ink(WHOLE, tmp_path / "curves.png")) > 100


@pytest.mark.parametrize("history", [[], [{"step": 1}], GAPS])
def test_a_run_that_logged_little_is_drawn_too(
    history: list[dict[str, float]], tmp_path: Path
) -> None:
    _, rate, _ = ink(history, tmp_path / "curves.png")
    assert rate == 0
