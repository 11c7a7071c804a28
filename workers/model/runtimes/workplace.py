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
        """Return images, (8, 3, h, w): noise of every coarseness, always the same."""
        height, width = self.input_size
        generator = torch.Generator().manual_seed(0)
        images = [
            torch.nn.functional.interpolate(
                torch.randint(0, 256, (1, 3, side, side), generator=generator).float(),
                (height, width),
                mode="bilinear",
            )
            for side in (2, 4, 8, 16, 32, 64, 128, 256)
        ]
        pixels = torch.cat(images).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        return pixels if self.floating else pixels.round().to(torch.uint8)
