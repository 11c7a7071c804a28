"""The forward pass by ONNX Runtime."""

from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

from schemas.choices import InferenceRuntime


class OnnxRuntimePass:
    """A session that threads share: each pass runs on the thread that asks, and so many more.

    Args:
        path: the ONNX file.
        threads: of one pass.
    """

    runtime = InferenceRuntime.ONNXRUNTIME

    def __init__(self, path: Path, threads: int) -> None:
        self._session = onnxruntime.InferenceSession(
            path, session_options(threads), providers=["CPUExecutionProvider"]
        )

    def __call__(self, images: Tensor) -> Tensor:
        """See :class:`~workers.model.runtimes.forward_pass.ForwardPass`."""
        pixels = images.permute(0, 2, 3, 1).contiguous().numpy()
        (vectors,) = self._session.run(["embeddings"], {"images": pixels})
        return torch.from_numpy(vectors)


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return how a pass runs. Threads do not spin while they wait: other passes run beside them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def build(path: Path, threads: int, _passes: int) -> OnnxRuntimePass:
    """Return the pass over an ONNX file; see :class:`OnnxRuntimePass`."""
    return OnnxRuntimePass(path, threads)
