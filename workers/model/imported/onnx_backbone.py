"""A backbone that is an ONNX file, computed by ONNX Runtime. It does not learn; its head does."""

from typing import Any, Self

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from schemas.errors import SetupError
from workers.model.imported.program import Program
from workers.model.runtimes.onnx_runtime import session_options

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
_CHANNELS = 3
_RANKS = (2, 4)


class OnnxGraph:
    """The session of an ONNX file with one input, images, and one output, features.

    Attributes:
        size: height and width, where the file names them.

    Raises:
        SetupError: the file cannot be read, or takes or gives something else.
    """

    def __init__(self, content: bytes) -> None:
        options = session_options(torch.get_num_threads())
        options.log_severity_level = 3  # of a file that cannot be read an error tells
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no common class
            raise SetupError(f"not an ONNX file that can be run: {error}") from error
        image, result = _only(self._session)
        self._input, self._output = image.name, result.name
        self._type = _TYPES[image.type]
        self._batch = image.shape[0] if isinstance(image.shape[0], int) else None
        self._channels_first = image.shape[1] == _CHANNELS
        sides = image.shape[2:] if self._channels_first else image.shape[1:3]
        self.size = (sides[0], sides[1]) if all(isinstance(s, int) for s in sides) else None

    def __call__(self, images: Tensor) -> Tensor:
        """Map (n, 3, h, w) to (n, c) or (n, c, h', w')."""
        given = images if self._channels_first else images.permute(0, 2, 3, 1)
        pixels = np.ascontiguousarray(given.detach().cpu().numpy(), dtype=self._type)
        size = len(pixels) if self._batch is None else self._batch
        parts = [
            self._run(pixels[start : start + size], size) for start in range(0, len(pixels), size)
        ]
        features = np.concatenate(parts).astype(np.float32, copy=False)
        return torch.from_numpy(features).to(images.device)

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self  # nothing in it changes

    def _run(self, pixels: NDArray[Any], size: int) -> NDArray[Any]:
        """Run a batch; a file for a fixed number of images gets copies of the last one."""
        count = len(pixels)
        filled = np.concatenate([pixels, pixels[-1:].repeat(size - count, axis=0)])
        result: NDArray[Any] = self._session.run([self._output], {self._input: filled})[0]
        return result[:count]


class OnnxBackbone(Program):
    """An ONNX file among the weights of a model."""

    exportable = False
    float32_only = True

    def read(self, content: bytes) -> OnnxGraph:
        """Open the file."""
        return OnnxGraph(content)


def build(argument: str, _input_size: tuple[int, int]) -> OnnxBackbone:
    """Build the backbone that gives ``argument`` features."""
    return OnnxBackbone(int(argument))


def _only(session: Any) -> tuple[Any, Any]:
    """Return the input and the output, after a look at what they are."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1:
        raise SetupError(
            f"it takes {[each.name for each in inputs]}; one input, images, is expected"
        )
    if len(outputs) != 1:
        names = ", ".join(each.name for each in outputs)
        raise SetupError(f"it gives {names}: choose one with --output")
    image, result = inputs[0], outputs[0]
    if image.type not in _TYPES:
        raise SetupError(f"{image.name} takes {image.type}; known: {', '.join(_TYPES)}")
    if len(image.shape) != 4 or _CHANNELS not in (image.shape[1], image.shape[3]):
        raise SetupError(f"{image.name} takes {image.shape}; expected (n, 3, h, w) or (n, h, w, 3)")
    if len(result.shape) not in _RANKS:
        raise SetupError(
            f"{result.name} gives {result.shape}; expected (n, features) or (n, channels, h, w): "
            "choose another with --output"
        )
    return image, result
