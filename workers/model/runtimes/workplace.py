"""Where a network computes, and what it is tried on there."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a network computes.

    Attributes:
        version: of the model, which names what is kept of it.
        input_size: height and width.
        floating: whether it is given float32 images instead of uint8 ones.
        threads: of one pass.
        passes: how many run at the same time.
        cache: the folder of what is kept, made on demand.
    """

    version: str
    input_size: tuple[int, int]
    floating: bool
    threads: int
    passes: int
    cache: Path

    def sample(self) -> Tensor:
        """Return images, (8, 3, h, w), as channels_last."""
        pixels = noise(self.input_size).contiguous(memory_format=torch.channels_last)
        return pixels if self.floating else pixels.round().to(torch.uint8)


def noise(size: tuple[int, int]) -> Tensor:
    """Return images, (8, 3, h, w) float32 of 0..255: noise of every coarseness, always the same."""
    generator = torch.Generator().manual_seed(0)
    images = [
        torch.nn.functional.interpolate(
            torch.randint(0, 256, (1, 3, side, side), generator=generator).float(),
            size,
            mode="bilinear",
        )
        for side in (2, 4, 8, 16, 32, 64, 128, 256)
    ]
    return torch.cat(images)
