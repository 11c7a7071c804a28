"""A backbone that is a TorchScript file: it learns as one of ours does."""

import io
import warnings

import torch
from torch import nn

from schemas.errors import SetupError
from workers.model.imported.program import Program


class ScriptBackbone(Program):
    """A TorchScript file among the weights; what it learnt since lies beside it."""

    def read(self, content: bytes) -> nn.Module:
        """Open the file. TorchScript is a language of its own: it runs no Python."""
        try:
            return open_script(content)
        except (RuntimeError, ValueError) as error:
            raise SetupError(f"not a TorchScript file: {error}") from error


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
