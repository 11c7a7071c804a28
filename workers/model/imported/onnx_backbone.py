"""A backbone that is an ONNX file, computed by ONNX Runtime. It does not learn; its head does."""

from typing import Any, Self

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from schemas.errors import SetupError
from workers.model.imported.program import Program, as_map

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
        features: how many numbers, or channels of a map, it gives; None where it does not say.

    Raises:
        SetupError: the file cannot be read, or takes or gives something else.
    """

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
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
        self.features = result.shape[1] if isinstance(result.shape[1], int) else None

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map (n, 3, h, w) to (n, c) or (n, c, h', w')."""
        if not self._channels_first:
            images = images.transpose(0, 2, 3, 1)
        pixels = np.ascontiguousarray(images, dtype=self._type)
        size = len(pixels) if self._batch is None else self._batch
        parts = [
            self._run(pixels[start : start + size], size) for start in range(0, len(pixels), size)
        ]
        return np.concatenate(parts).astype(np.float32, copy=False)

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

    def __init__(self, features: int) -> None:
        super().__init__(features)
        self._graph: OnnxGraph | None = None

    def read(self, content: bytes) -> None:
        """Open the file."""
        self._graph = OnnxGraph(content)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (n, 3, h, w), normalised, to its features, as a map."""
        if self._graph is None:
            raise SetupError(
                "an ONNX backbone without its file: start from the folder of the model"
            )
        features = self._graph(images.detach().cpu().numpy())
        return [as_map(torch.from_numpy(features).to(images.device))]


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
