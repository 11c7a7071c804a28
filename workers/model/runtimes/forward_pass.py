"""The forward pass as every runtime gives it; torch's own is the reference."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from schemas.choices import InferenceRuntime


class ForwardPass(Protocol):
    """Images in, unit vectors out. Threads may share it."""

    runtime: InferenceRuntime

    def __call__(self, images: Tensor) -> Tensor:
        """Map (n, 3, h, w) images of 0..255, uint8 or float32, to (n, d) float32 of unit norm."""
        ...


class UnitNetwork(nn.Module):
    """A network with its output at unit norm; takes images as they lie in memory."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        # The exporter brings back the mode that the outermost module is in, and into all of them.
        self.eval()

    @property
    def exportable(self) -> bool:
        """Whether other runtimes can read it: no part of it is a program of its own."""
        return all(getattr(part, "exportable", True) for part in self.network.modules())

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, h, w, 3) images to (n, d) float32 of unit norm."""
        # The strides of n, h, w, c seen as n, c, h, w are those of channels_last: no copy.
        return nn.functional.normalize(self.network(images.permute(0, 3, 1, 2)), dim=1)


class TorchPass:
    """The forward pass by torch, as the network is written."""

    runtime = InferenceRuntime.TORCH

    def __init__(self, network: UnitNetwork) -> None:
        self._network: Callable[[Tensor], Tensor] = network

    def __call__(self, images: Tensor) -> Tensor:
        """See :class:`ForwardPass`."""
        return self._network(images.permute(0, 2, 3, 1))


class CompiledPass(TorchPass):
    """The forward pass by torch's compiler: the first one of every shape takes a minute."""

    runtime = InferenceRuntime.COMPILE

    def __init__(self, network: UnitNetwork) -> None:
        super().__init__(network)
        self._network = torch.compile(network, dynamic=True)
