"""Augmentations: their bounds, and values that can be worked out by hand."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from workers.training.augment import (
    AffineMove,
    Augmentation,
    augment,
    erase,
    relight,
    turned_classes,
    warp,
)

OFF = Augmentation(0, 0, 0, 0, 0, gamma=0, gain=0, noise=0, erase=0)
ALL = Augmentation(flip=True, noise=8, erase=0.5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 4, channels: int = 3, height: int = 24, width: int = 16) -> Tensor:
    shape = (count, channels, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=seeded(99))


def move(**changes: float) -> AffineMove:
    """A single image's move, still but for the changes."""
    still = {"right": 0.0, "down": 0.0, "wide": 1.0, "high": 1.0, "turn": 0.0, "lean": 0.0}
    return AffineMove(**{name: torch.tensor([value]) for name, value in (still | changes).items()})


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_type_and_range_stay(channels: int) -> None:
    strong = replace(ALL, strength=5)
    changed = augment(images(64, channels), strong, seeded())
    assert changed.shape == (64, channels, 24, 16)
    assert changed.dtype == torch.float32
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_without_strength_images_stay_as_they_are() -> None:
    still = replace(ALL, flip=False, strength=0)
    assert torch.equal(augment(images(), still, seeded()), images().float())


def test_changes_that_are_off_leave_images_as_they_are() -> None:
    assert torch.equal(augment(images(), OFF, seeded()), images().float())


def test_a_still_move_changes_nothing() -> None:
    assert torch.allclose(warp(images(1).float(), move()), images(1).float(), atol=1e-3)


def test_the_given_images_are_not_touched() -> None:
    given = images().float()
    augment(given, replace(OFF, gamma=0.5), seeded())
    assert torch.equal(given, images().float())


def test_the_same_seed_gives_the_same_images_and_another_others() -> None:
    first, again, other = (augment(images(), ALL, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "change",
    [
        {"rotation": 10.0},
        {"scale": 0.1},
        {"stretch": 0.1},
        {"shear": 0.1},
        {"shift": 0.1},
        {"gamma": 0.5},
        {"gain": 0.2},
        {"noise": 5.0},
        {"erase": 1.0},
    ],
)
def test_each_change_works_alone_and_differs_from_image_to_image(change: dict[str, Any]) -> None:
    alike = images(1).expand(8, -1, -1, -1)
    changed = augment(alike, replace(OFF, **change), seeded())
    assert len({tuple(image.flatten().tolist()) for image in changed}) == 8


def test_every_second_image_is_mirrored() -> None:
    alike = images(1).expand(400, -1, -1, -1)
    changed = augment(alike, replace(OFF, flip=True), seeded())
    mirrored = (changed - images(1).flip(-1)).abs().amax((1, 2, 3)) < 1e-2
    straight = (changed - images(1)).abs().amax((1, 2, 3)) < 1e-2
    assert (mirrored ^ straight).all()
    assert 160 < mirrored.sum() < 240


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_is_that_of_torch(quarters: int) -> None:
    square = images(1, height=16).float()
    turned = warp(square, move(turn=90.0 * quarters))
    assert torch.allclose(turned, torch.rot90(square, quarters, (-2, -1)), atol=1e-2)


def test_turning_keeps_shapes_on_images_that_are_not_square() -> None:
    picture = torch.zeros(1, 1, 41, 21)
    picture[0, 0, 18:23, 2:19] = 255  # a lying bar of 5 × 17 pixels about the centre
    turned = warp(picture, move(turn=90.0))
    standing = torch.zeros(1, 1, 41, 21)
    standing[0, 0, 12:29, 8:13] = 255
    assert torch.allclose(turned, standing, atol=0.1)


def test_content_moves_by_shares_of_the_sides() -> None:
    picture = torch.zeros(1, 1, 20, 10)
    picture[0, 0, 8, 4] = 255
    moved = warp(picture, move(right=0.2, down=-0.25))
    assert torch.nonzero(moved[0, 0] > 250).tolist() == [[3, 6]]


def test_content_grows_to_twice_its_width() -> None:
    picture = torch.zeros(1, 1, 12, 12)
    picture[0, 0, :, 4:8] = 255
    wide = warp(picture, move(wide=2.0))[0, 0, 5] > 127
    high = warp(picture, move(high=2.0))[0, 0, 5] > 127
    assert torch.nonzero(wide).flatten().tolist() == list(range(2, 10))
    assert torch.nonzero(high).flatten().tolist() == list(range(4, 8))


def test_rows_lean_by_their_distance_below_the_centre() -> None:
    picture = torch.zeros(1, 1, 21, 21)
    picture[0, 0, :, 10] = 255
    leaning = warp(picture, move(lean=1.0))[0, 0]
    assert leaning[10].argmax() == 10
    assert leaning[14].argmax() == 14
    assert leaning[5].argmax() == 5


def test_what_comes_in_from_outside_repeats_the_border() -> None:
    moved = warp(images(1).float(), move(right=0.5))
    assert torch.allclose(moved[..., :8], images(1).float()[..., :1].expand(-1, -1, -1, 8))


def test_gamma_and_gain_by_hand() -> None:
    grey = torch.full((2, 1, 1, 1), 51.0)  # a fifth of white
    lit = relight(grey, torch.tensor([2.0, 1.0]), torch.tensor([1.0, 1.5]))
    assert lit.flatten().tolist() == pytest.approx([255 / 25, 51 * 1.5], rel=1e-5)


def test_gamma_keeps_black_and_white() -> None:
    ends = torch.tensor([0.0, 255.0]).view(1, 1, 1, 2)
    lit = relight(ends, torch.tensor([0.3]), torch.tensor([1.0]))
    assert lit.flatten().tolist() == pytest.approx([0, 255])


def test_draws_reach_the_whole_range_of_gamma_and_no_more() -> None:
    grey = torch.full((2000, 1, 1, 1), 51, dtype=torch.uint8)
    lit = augment(grey, replace(OFF, gamma=0.5), seeded())
    drawn = torch.log(torch.log(lit / 255) / torch.log(torch.tensor(0.2)))
    assert -0.5001 < drawn.min() < -0.49
    assert 0.49 < drawn.max() < 0.5001
    assert abs(drawn.mean()) < 0.03


def test_an_erased_rectangle_has_the_mean_colour() -> None:
    picture = torch.zeros(1, 2, 4, 4)
    picture[0, 0, 0, 0] = 160
    erased = erase(picture, torch.tensor([[0.25, 0.5, 0.5, 0.5]]))
    expected = picture.clone()
    expected[0, 0, 2:, 1:3] = 10
    assert torch.equal(erased, expected)


def test_the_asked_share_of_images_is_erased_in_bounds() -> None:
    picture = torch.zeros(1, 1, 40, 30, dtype=torch.uint8)
    picture[..., ::2] = 200
    alike = picture.expand(2000, -1, -1, -1)
    erased = augment(alike, replace(OFF, erase=0.3), seeded()) == 100
    shares = erased.float().mean((1, 2, 3))
    assert 0.27 < (shares > 0).float().mean() < 0.33
    assert shares[shares > 0].min() > 0.01
    assert shares.max() < 0.22
    anywhere = erased.any(0)[0]
    assert anywhere.any(0).all()
    assert anywhere.any(1).all()


def test_noise_has_the_asked_spread() -> None:
    grey = torch.full((8, 1, 64, 64), 128, dtype=torch.uint8)
    assert augment(grey, replace(OFF, noise=10), seeded()).std().item() == pytest.approx(
        10, rel=0.03
    )


def test_a_turned_identity_is_another_class() -> None:
    square = images(160, height=16)
    labels = torch.arange(40).repeat_interleave(4)
    turned, classes = turned_classes(square, labels, 40, seeded(), 4)
    turns = classes // 40
    assert torch.equal(classes % 40, labels)
    assert set(turns.tolist()) == {0, 1, 2, 3}
    assert torch.equal(turns.view(40, 4), turns.view(40, 4)[:, :1].expand(-1, 4))
    for before, after, turn in zip(square, turned, turns, strict=True):
        assert torch.equal(after, torch.rot90(before, int(turn), (-2, -1)))


def test_quarter_turns_need_squares_and_whole_identities() -> None:
    with pytest.raises(ValueError, match="square images, not 24 x 16"):
        turned_classes(images(), torch.zeros(4), 1, seeded(), 2)
    with pytest.raises(ValueError, match="4 images are no multiple of 3"):
        turned_classes(images(height=16), torch.zeros(4), 1, seeded(), 3)
