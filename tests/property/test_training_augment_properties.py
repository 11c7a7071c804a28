"""The warp of a batch, against torch's own affine grid of a product of matrices."""

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import affine_grid, grid_sample

from workers.training.augment import AffineMove, warp

SIDES = st.integers(2, 17)


@given(
    SIDES,
    SIDES,
    *(st.floats(-0.5, 0.5) for _ in range(2)),
    *(st.floats(0.5, 2.0) for _ in range(2)),
    st.booleans(),
    st.floats(-180, 180),
    st.floats(-0.5, 0.5),
)
def test_a_warp_is_the_inverse_of_its_moves_in_their_order(
    height: int,
    width: int,
    right: float,
    down: float,
    wide: float,
    high: float,
    mirrored: bool,
    turn: float,
    lean: float,
) -> None:
    wide = -wide if mirrored else wide
    angle = math.radians(turn)
    cos, sin = math.cos(angle), math.sin(angle)
    # In pixels from the centre, x to the right and y down.
    shifted = np.array([[1, 0, right * width], [0, 1, down * height], [0, 0, 1]])
    sized = np.diag([wide, high, 1])
    turned = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    leaning = np.array([[1, lean, 0], [0, 1, 0], [0, 0, 1]])
    to_sides = np.diag([2 / width, 2 / height, 1])
    forward = to_sides @ leaning @ turned @ sized @ shifted @ np.linalg.inv(to_sides)
    theta = torch.tensor(np.linalg.inv(forward)[None, :2], dtype=torch.float64)

    image = torch.linspace(0, 255, 3 * height * width, dtype=torch.float64)
    image = image.view(1, 3, height, width)
    grid = affine_grid(theta, [1, 3, height, width], align_corners=False)
    expected = grid_sample(image, grid, padding_mode="border", align_corners=False)
    numbers = (right, down, wide, high, turn, lean)
    move = AffineMove(*(torch.tensor([number], dtype=torch.float64) for number in numbers))
    torch.testing.assert_close(warp(image, move), expected, rtol=0, atol=0.01)
