"""A backbone that is a program: its bytes travel among the weights of the model."""

from typing import Any

import torch
from torch import Tensor, nn


class Program(nn.Module):
    """A backbone whose computation is given by bytes, which its state holds as a uint8 tensor.

    So the version covers the program, and a model folder has no file more.

    Args:
        features: how many numbers it gives for an image.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.channels = (features,)
        self._content = torch.empty(0, dtype=torch.uint8)

    def read(self, content: bytes) -> None:
        """Build what computes from the bytes; a subclass raises SetupError where it cannot."""
        raise NotImplementedError

    def get_extra_state(self) -> Tensor:
        """Return the bytes, as torch saves them beside the parameters."""
        return self._content

    def set_extra_state(self, state: Any) -> None:
        """Take the bytes that were saved."""
        # The weights may be mapped from a file that is replaced later.
        self._content = state.detach().cpu().clone()
        self.read(self._content.numpy().tobytes())


def is_program(name: str) -> bool:
    """Tell whether what has this name among the weights is a program, and no parameter."""
    return name.endswith("._extra_state")


def as_map(features: Tensor) -> Tensor:
    """Return (n, c) features as a feature map of one position; a map stays as it is."""
    return features[:, :, None, None] if features.ndim == 2 else features
