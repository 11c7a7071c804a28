"""A backbone that is a program: its bytes travel among the weights of the model."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from schemas.errors import SetupError

Computes = Callable[[Tensor], Tensor]


class Program(nn.Module, ABC):
    """A backbone whose computation is given by bytes, which its state holds as a uint8 tensor.

    So the version covers the program, and a model folder has no file more.

    Args:
        features: how many numbers it gives for an image.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.channels = (features,)
        self._content = torch.empty(0, dtype=torch.uint8)
        self.network: Computes | None = None

    @abstractmethod
    def read(self, content: bytes) -> Computes:
        """Return what computes, out of the bytes: a module, where it has weights to learn.

        Raises:
            SetupError: they cannot be read.
        """

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (n, 3, h, w), normalised, to its features, as a map."""
        if self.network is None:
            raise SetupError("a backbone without its file: start from the folder of the model")
        features = self.network(images)
        width_of(features, "the file")
        return [as_map(features)]

    def get_extra_state(self) -> Tensor:
        """Return the bytes, as torch saves them beside the parameters."""
        return self._content

    def set_extra_state(self, state: Any) -> None:
        """Take the bytes that were saved."""
        # The weights may be mapped from a file that is replaced later.
        self._content = state.detach().cpu().clone()
        self.network = self.read(self._content.numpy().tobytes())


def is_program(name: str) -> bool:
    """Tell whether what has this name among the weights is a program, and no parameter."""
    return name.endswith("._extra_state")


def width_of(result: object, source: str) -> int:
    """Return how many features, or channels of a map, a result has.

    Raises:
        SetupError: it is neither (n, features) nor (n, channels, h, w).
    """
    if isinstance(result, Tensor) and result.ndim in (2, 4):
        return result.shape[1]
    what = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
    raise SetupError(f"{source} gives {what}; expected (n, features) or (n, channels, h, w)")


def as_map(features: Tensor) -> Tensor:
    """Return (n, c) features as a feature map of one position; a map stays as it is."""
    return features[:, :, None, None] if features.ndim == 2 else features
