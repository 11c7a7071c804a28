"""A backbone that is a TorchScript file: it learns as one of ours does."""

import io
import warnings

import torch
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.model.imported.program import Program, as_map


class ScriptBackbone(Program):
    """A TorchScript file among the weights; what it learnt since lies beside it."""

    def __init__(self, features: int) -> None:
        super().__init__(features)
        self.network: nn.Module | None = None

    def read(self, content: bytes) -> None:
        """Open the file. TorchScript is a language of its own: it runs no Python."""
        try:
            self.network = open_script(content)
        except (RuntimeError, ValueError) as error:
            raise SetupError(f"not a TorchScript file: {error}") from error

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (n, 3, h, w), normalised, to its features, as a map."""
        if self.network is None:
            raise SetupError(
                "a TorchScript backbone without its file: start from the model's folder"
            )
        features = self.network(images)
        width_of(features, "the TorchScript file")
        return [as_map(features)]


def width_of(result: object, source: str) -> int:
    """Return how many features, or channels of a map, a result has.

    Raises:
        SetupError: it is neither (n, features) nor (n, channels, h, w).
    """
    if isinstance(result, Tensor) and result.ndim in (2, 4):
        return result.shape[1]
    what = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
    raise SetupError(f"{source} gives {what}; expected (n, features) or (n, channels, h, w)")


def open_script(content: bytes) -> nn.Module:
    """Open a TorchScript file; raises RuntimeError or ValueError where it is none."""
    with warnings.catch_warnings():
        # Torch has a successor for new files; those that people have are still read.
        warnings.simplefilter("ignore", DeprecationWarning)
        script: nn.Module = torch.jit.load(  # type: ignore[no-untyped-call]
            io.BytesIO(content), map_location="cpu"
        )
    return script


def build(argument: str, _input_size: tuple[int, int]) -> ScriptBackbone:
    """Build the backbone that gives ``argument`` features."""
    return ScriptBackbone(int(argument))
