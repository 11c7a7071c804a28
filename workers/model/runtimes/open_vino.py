"""The forward pass by OpenVINO, which is installed with ``perennial[openvino]``."""

import threading
from pathlib import Path

import openvino
import torch
from torch import Tensor

from schemas.choices import InferenceRuntime


class OpenVinoPass:
    """A compiled model with one request for each thread that asks.

    Args:
        path: the ONNX file.
        threads: of one pass.
        passes: how many threads ask at the same time, at most.
    """

    runtime = InferenceRuntime.OPENVINO

    def __init__(self, path: Path, threads: int, passes: int) -> None:
        core = openvino.Core()
        self._model = core.compile_model(
            core.read_model(path),
            "CPU",
            {
                "NUM_STREAMS": passes,
                "INFERENCE_NUM_THREADS": threads * passes,
                # Where the hardware has it, bfloat16 is the default: that is another model.
                "INFERENCE_PRECISION_HINT": "f32",
            },
        )
        self._own = threading.local()

    def __call__(self, images: Tensor) -> Tensor:
        """See :class:`~workers.model.runtimes.forward_pass.ForwardPass`."""
        if not hasattr(self._own, "request"):
            self._own.request = self._model.create_infer_request()
        pixels = images.permute(0, 2, 3, 1).contiguous().numpy()
        vectors = self._own.request.infer({0: pixels}, share_inputs=True)[0]
        return torch.from_numpy(vectors.copy())


def build(path: Path, threads: int, passes: int) -> OpenVinoPass:
    """Return the pass over an ONNX file; see :class:`OpenVinoPass`."""
    return OpenVinoPass(path, threads, passes)
