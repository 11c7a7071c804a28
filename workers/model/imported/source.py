"""What somebody brings as a model, read into a card and weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.model.imported.program import Program
from workers.model.network import Architecture, Channels, Positive, Size

Numbers = tuple[Positive, Positive, Positive]
_LARGEST = 255.0


class Preprocessing(BaseModel):
    """What a model expects of its images.

    Attributes:
        size: height and width.
        mean: per channel, taken off; on the scale of 0 to ``scale``.
        std: per channel, divided by; on the same scale.
        scale: largest value of a pixel as mean and std see it: 1, the habit of the field, or 255.
        colour: whether it sees colour.
        output: what of an ONNX file is the features, where not its only output.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    size: Size | None = None
    mean: Channels | None = None
    std: Numbers | None = None
    scale: float = Field(1.0, gt=0)
    colour: bool = True
    output: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A backbone that was read, the architecture around it, and what to tell its owner."""

    architecture: Architecture
    weights: dict[str, Tensor]
    remarks: tuple[str, ...] = ()


def assemble(
    name: str,
    backbone: nn.Module,
    features: int,
    given: Preprocessing,
    remarks: tuple[str, ...] = (),
) -> Imported:
    """Return the model whose embedding is what the backbone gives, pooled where it is a map.

    Raises:
        SetupError: size, mean or std are not known.
    """
    size = needed(given.size, "the size of its images", "--size 224x224")
    example = "--mean .485,.456,.406 --std .229,.224,.225, if they are ImageNet's"
    mean = needed(given.mean, "the mean of its images", example)
    std = needed(given.std, "the deviation of its images", example)
    unit = _LARGEST / given.scale
    architecture = Architecture(
        backbones=(name,),
        dimension=features,
        input_size=size,
        colour=given.colour,
        mean=(mean[0] * unit, mean[1] * unit, mean[2] * unit),
        std=(std[0] * unit, std[1] * unit, std[2] * unit),
    )
    state = backbone.state_dict(prefix="backbones.0.")
    return Imported(architecture, {**state, "centres.0": torch.zeros(features)}, remarks)


def needed(value: Any, what: str, option: str) -> Any:
    """Return the value; where there is none, say how to give it."""
    if value is None:
        raise SetupError(f"{what} cannot be told from the file: give {option}")
    return value


def from_program(
    name: str,
    backbone: Program,
    content: bytes,
    given: Preprocessing,
    remarks: tuple[str, ...] = (),
) -> Imported:
    """Return the model around the backbone that these bytes are the program of."""
    backbone.set_extra_state(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    return assemble(name, backbone, *backbone.channels, given, remarks)


def content_of(path: Path) -> bytes:
    """Return what is in a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
