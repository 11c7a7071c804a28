"""Augmentations of a whole batch of images at once, on tensors, on any device."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

_WHITE = 255.0
_ERASED_SHARE = (0.02, 0.2)  # smallest and largest share of the image that erasing takes away
_ERASED_ASPECT = 3.0  # its width over its height or the reverse, at most


@dataclass(frozen=True, slots=True)
class AffineMove:
    """What happens to the content of each image, in this order; all are (n,) float32.

    Attributes:
        right: it moves by this share of the width.
        down: it moves by this share of the height.
        wide: it becomes this many times as wide; a negative number also mirrors it.
        high: it becomes this many times as high.
        turn: it turns counter-clockwise by these degrees.
        lean: each row moves right by this share of its distance below the centre.
    """

    right: Tensor
    down: Tensor
    wide: Tensor
    high: Tensor
    turn: Tensor
    lean: Tensor


def warp(images: Tensor, move: AffineMove) -> Tensor:
    """Move the content of images, bilinear; what comes in from outside repeats the border.

    Args:
        images: (n, c, h, w) floating point.
        move: n moves, on the same device.

    Returns:
        Images of the same size.
    """
    height, width = images.shape[-2:]
    maps = _inverse(move, height / width)
    # What affine_grid makes in five passes is a sum of columns and rows: one pass.
    columns = maps[:, None, :, 0] * centres(width, images.device).view(1, -1, 1)
    rows = maps[:, None, :, 1] * centres(height, images.device).view(1, -1, 1)
    grid = columns[:, None, :, :] + (rows + maps[:, None, :, 2])[:, :, None, :]
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def centres(count: int, device: torch.device) -> Tensor:
    """(count,) where the pixels of a side have their centres, the side running from -1 to 1."""
    return (torch.arange(count, device=device) * 2 + 1) / count - 1


def _inverse(move: AffineMove, ratio: float) -> Tensor:
    """(n, 2, 3) maps from a place in the result to the place in the image that is seen there.

    Places run from -1 to 1 along each side, but turning and leaning are meant in pixels: hence
    ``ratio``, the height over the width.
    """
    angle = torch.deg2rad(move.turn)
    cos, sin = torch.cos(angle), torch.sin(angle)
    across = torch.stack([cos, -(move.lean * cos + sin) * ratio], dim=-1) / move.wide[:, None]
    along = torch.stack([sin / ratio, cos - move.lean * sin], dim=-1) / move.high[:, None]
    origin = torch.stack([move.right, move.down], dim=-1) * -2
    return torch.cat([torch.stack([across, along], dim=1), origin[:, :, None]], dim=-1)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each image may be changed; every image has its own draw, and 0 turns a change off.

    Attributes:
        rotation: largest turn either way, in degrees.
        scale: the size is multiplied by e^u, u within ± this.
        stretch: the width is multiplied by e^u and the height divided by it, u within ± this.
        shear: largest sideways move of a row, as a share of its distance from the centre.
        shift: largest move along each axis, as a share of that side.
        flip: mirror every second image left to right; wrong where an identity has a side.
        gamma: grey levels of 0..1 are raised to the power e^u, u within ± this.
        gain: the result is multiplied by e^u, u within ± this.
        noise: standard deviation of white noise, in grey levels of 0..255.
        erase: probability that a rectangle is replaced by the image's mean colour (Zhong et al.
            2020, "Random Erasing Data Augmentation").
        strength: multiplies all of the above but ``flip``.
    """

    rotation: float = 10.0
    scale: float = 0.12
    stretch: float = 0.08
    shear: float = 0.1
    shift: float = 0.1
    flip: bool = False
    gamma: float = 0.5
    gain: float = 0.2
    noise: float = 0.0
    erase: float = 0.3
    strength: float = 1.0


def augment(images: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Change each image by its own random draw.

    Args:
        images: (n, c, h, w) uint8, on any device.
        generator: all randomness comes from it, drawn on its own device and then moved.

    Returns:
        (n, c, h, w) float32 within 0..255, on the device of the images.
    """
    # All are drawn whatever the settings, so that turning one change off leaves the others alike.
    drawn = torch.rand((14, len(images)), generator=generator, device=generator.device)
    drawn = drawn.to(images.device)
    geometry, light, place = drawn[:7] * 2 - 1, drawn[7:9] * 2 - 1, drawn[9:]
    strength = settings.strength
    changed = images.to(torch.float32, copy=True)
    if settings.flip or strength * (
        settings.rotation + settings.scale + settings.stretch + settings.shear + settings.shift
    ):
        changed = warp(changed, _move(geometry, settings))
    if strength * (settings.gamma + settings.gain):
        light = torch.exp(light * strength)
        changed = relight(changed, light[0] ** settings.gamma, light[1] ** settings.gain)
    if strength * settings.noise:
        noise = torch.randn(images.shape, generator=generator, device=generator.device)
        changed += noise.to(images.device) * (strength * settings.noise)
    if strength * settings.erase:
        changed = erase(changed, _boxes(place, strength * settings.erase))
    return changed.clamp_(0.0, _WHITE)


def turned_classes(
    images: Tensor,
    labels: Tensor,
    classes: int,
    generator: torch.Generator,
    images_per_identity: int,
) -> tuple[Tensor, Tensor]:
    """Turn each identity of a batch by a random multiple of 90°, which makes it another class.

    Four times as many classes to learn from, where a drawing turned is another drawing (Santoro et
    al. 2016, "Meta-Learning with Memory-Augmented Neural Networks", on Omniglot).

    Args:
        images: (n, c, s, s), the images of one identity beside each other.
        labels: (n,) from 0 to ``classes`` - 1.
        images_per_identity: K of the batch.

    Returns:
        The turned images, and the labels: ``label + classes * turns``, turns from 0 to 3.
    """
    count, _, height, width = images.shape
    if height != width:
        raise ValueError(f"quarter turns need square images, not {height} x {width}")
    if count % images_per_identity:
        raise ValueError(f"{count} images are no multiple of {images_per_identity} an identity")
    identities = count // images_per_identity
    turns = torch.randint(4, (identities,), generator=generator, device=generator.device)
    turns = turns.to(images.device).repeat_interleave(images_per_identity)
    turned = torch.stack([torch.rot90(images, turn, (-2, -1)) for turn in range(4)])
    return turned[turns, torch.arange(count, device=images.device)], labels + classes * turns


def relight(images: Tensor, gamma: Tensor, gain: Tensor) -> Tensor:
    """Each image as gain · white · (image / white)^gamma, in place; gamma and gain are (n,)."""
    gamma, gain = gamma.view(-1, 1, 1, 1), gain.view(-1, 1, 1, 1)
    return images.pow_(gamma).mul_(gain * _WHITE ** (1 - gamma))


def erase(images: Tensor, boxes: Tensor) -> Tensor:
    """Replace a rectangle of each image by the image's mean colour.

    Args:
        images: (n, c, h, w) floating point.
        boxes: (n, 4) left, top, width and height as shares of the sides; width 0 erases nothing.
    """
    height, width = images.shape[-2:]
    left, top, wide, high = boxes[:, :, None].unbind(dim=1)
    across = (centres(width, images.device) + 1) / 2 - left
    along = (centres(height, images.device) + 1) / 2 - top
    columns, rows = (across >= 0) & (across < wide), (along >= 0) & (along < high)
    inside = rows[:, None, :, None] & columns[:, None, None, :]
    return torch.where(inside, images.mean(dim=(-2, -1), keepdim=True), images)


def _move(draws: Tensor, settings: Augmentation) -> AffineMove:
    """From 7 draws of each image within ±1."""
    turn, scale, stretch, lean, right, down = draws[:6] * settings.strength
    size, slant = scale * settings.scale, stretch * settings.stretch
    mirror = draws[6].sign() if settings.flip else 1.0
    return AffineMove(
        right=right * settings.shift,
        down=down * settings.shift,
        wide=torch.exp(size + slant) * mirror,
        high=torch.exp(size - slant),
        turn=turn * settings.rotation,
        lean=lean * settings.shear,
    )


def _boxes(draws: Tensor, probability: float) -> Tensor:
    """(n, 4) rectangles within the image from 5 draws within 0..1; empty where chance spares it."""
    chance, area, aspect, left, top = draws
    smallest, largest = _ERASED_SHARE
    side = (smallest + (largest - smallest) * area).sqrt()
    slant = _ERASED_ASPECT ** (aspect - 0.5)
    wide, high = side * slant, side / slant
    spared = chance >= probability
    return torch.stack([left * (1 - wide), top * (1 - high), wide.where(~spared, 0), high], dim=1)
