"""Random resized crops and mirroring, as torchvision's, on a whole batch at once."""

import math

import torch
from torch import Tensor
from torch.nn import functional

SCALE = (0.16, 1.0)
RATIO = (0.75, 1.33)


def random_resized_crops(images: Tensor, generator: torch.Generator) -> Tensor:
    """Cut a random piece out of each image, enlarge it to the whole, mirror every second one.

    Of the image's area within ``SCALE``, width over height within ``RATIO`` as in ``transforms.
    RandomResizedCrop``; a side that would not fit is cut to the image's instead of drawn anew.

    Args:
        images: (n, c, h, w) floating point.
        generator: all is drawn from it, on its own device.

    Returns:
        Images of the same size.
    """
    count, _, height, width = images.shape
    drawn = torch.rand((5, count), generator=generator, device=generator.device).to(images.device)
    area = SCALE[0] + (SCALE[1] - SCALE[0]) * drawn[0]
    low, high = (math.log(ratio) for ratio in RATIO)
    ratio = torch.exp(low + (high - low) * drawn[1]) * (height / width)
    wide = (area * ratio).sqrt().clamp(max=1)
    tall = (area / ratio).sqrt().clamp(max=1)
    zero = torch.zeros_like(wide)
    mirror = torch.where(drawn[4] < 0.5, -1.0, 1.0)
    # From the place in the result to the place in the image, both from -1 to 1 along each side.
    across = torch.stack([wide * mirror, zero, (2 * drawn[2] - 1) * (1 - wide)], dim=1)
    along = torch.stack([zero, tall, (2 * drawn[3] - 1) * (1 - tall)], dim=1)
    maps = functional.affine_grid(
        torch.stack([across, along], dim=1), list(images.shape), align_corners=False
    )
    return functional.grid_sample(images, maps, padding_mode="border", align_corners=False)
