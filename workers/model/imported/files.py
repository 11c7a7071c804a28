"""ONNX and TorchScript files, read as backbones."""

from pathlib import Path
from typing import Any

import onnx
import torch

from schemas.errors import SetupError
from workers.model.imported.onnx_backbone import OnnxBackbone, OnnxGraph
from workers.model.imported.program import width_of
from workers.model.imported.script_backbone import ScriptBackbone, open_script
from workers.model.imported.source import Imported, Preprocessing, content_of, from_program, needed

_AFTER_SCORES = frozenset({"Softmax", "LogSoftmax", "Sigmoid", "Identity", "Add"})
_FULLY_CONNECTED = frozenset({"Gemm", "MatMul"})


def from_onnx(path: Path, given: Preprocessing) -> Imported:
    """Read an ONNX file.

    Raises:
        SetupError: it cannot be run, its features are not found, or its input's size is not told.
    """
    content = content_of(path)
    if given.output is not None:
        content = _cut(content, given.output)
    graph = OnnxGraph(content)
    size = needed(given.size if graph.size is None else graph.size, "its size", "--size 224x224")
    if given.size not in (None, size):
        raise SetupError(
            f"--size {given.size[0]}x{given.size[1]}: {path.name} takes {size[0]}x{size[1]}"
        )
    features = graph(torch.zeros(1, 3, *size)).shape[1]
    known = given.model_copy(update={"size": size})
    backbone, remarks = OnnxBackbone(features), _remarks(content, path.name)
    return from_program(f"onnx:{features}", backbone, content, known, remarks)


def from_torchscript(path: Path, given: Preprocessing) -> Imported:
    """Read a TorchScript file.

    Raises:
        SetupError: it cannot be run, or gives no features.
    """
    content = content_of(path)
    size = needed(given.size, "the size of its images", "--size 224x224")
    try:
        script = open_script(content).eval()
        with torch.inference_mode():
            result = script(torch.zeros(1, 3, *size))
    except (RuntimeError, ValueError) as error:
        raise SetupError(
            f"{path} is no TorchScript file that takes (1, 3, {size[0]}, {size[1]}): {error}"
        ) from error
    features = width_of(result, str(path))
    return from_program(f"torchscript:{features}", ScriptBackbone(features), content, given)


def _remarks(content: bytes, name: str) -> tuple[str, ...]:
    """Say so where a file ends in class scores: what comes before the last layer tells more."""
    graph = onnx.load_from_string(content).graph
    producers = {output: node for node in graph.node for output in node.output}
    node = producers.get(graph.output[0].name)
    while node is not None and node.op_type in _AFTER_SCORES:
        node = _producer(node.input, producers)
    if node is None or node.op_type not in _FULLY_CONNECTED:
        return ()
    return (
        f"{name} ends in a fully connected layer, as classifiers do; what goes into that layer "
        f"usually recognises better: --output {node.input[0]}",
    )


def _producer(inputs: Any, producers: dict[str, Any]) -> Any:
    """Return the node that an input comes from; weights come from none."""
    return next((producers[name] for name in inputs if name in producers), None)


def _cut(content: bytes, output: str) -> bytes:
    """Return the file with another tensor of it as its only output."""
    try:
        model = onnx.load_from_string(content)
    except Exception as error:  # whatever the parser raises
        raise SetupError(f"not an ONNX file: {error}") from error
    known = {name for node in model.graph.node for name in node.output}
    if output not in known:
        last = [name for node in model.graph.node[-8:] for name in node.output]
        raise SetupError(f"--output {output}: no such tensor; the last ones are {', '.join(last)}")
    inputs = [each.name for each in model.graph.input]
    try:
        inferred = onnx.shape_inference.infer_shapes(model)
        cut = onnx.utils.Extractor(inferred).extract_model(inputs, [output])
    except Exception as error:  # whatever the library raises
        raise SetupError(f"--output {output}: {error}") from error
    whole: bytes = cut.SerializeToString()
    return whole
