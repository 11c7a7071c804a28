"""The embedding network: light, backbones, pooling, head. Training and service build it here."""

from enum import StrEnum
from typing import Annotated

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.model.backbone import BACKBONES, build_backbone
from workers.model.imported.names import FORMS, is_imported
from workers.model.photometric import Light, grey, relieve
from workers.model.pooling import Pooling, build_pooling, pooled_size

Channels = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=8, le=4096)]
Size = Annotated[tuple[Side, Side], BeforeValidator(lambda s: (s, s) if isinstance(s, int) else s)]


class Head(StrEnum):
    """What follows the pooled features."""

    DIRECT = "direct"  # nothing: they are the embedding
    LINEAR = "linear"  # one fully connected layer
    MLP = "mlp"  # two, with a ReLU between


class Architecture(BaseModel):
    """What a network is made of.

    Attributes:
        backbones: one, or several whose features are joined (multi-feature metric learning).
        pooling: see :class:`Pooling`.
        grid: rows and columns of ``grid`` pooling.
        head: see :class:`Head`.
        dimension: of the embedding.
        input_size: height and width in pixels; in JSON a single number means a square.
        colour: whether the network sees colour.
        light: see :class:`Light`.
        mean: per channel, on the 0 to 255 scale; used where the light is kept.
        std: likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    backbones: tuple[str, ...] = Field(("efficientnet-lite0",), min_length=1)
    pooling: Pooling = Pooling.AVERAGE
    grid: tuple[int, int] = (1, 1)
    head: Head = Head.DIRECT
    dimension: int = Field(1280, ge=1)
    input_size: Size = (224, 224)
    colour: bool = True
    light: Light = Light.KEEP
    # Mean and deviation: efficientnet_lite_builder.py of the network's authors.
    mean: Channels = (127.0, 127.0, 127.0)
    std: tuple[Positive, Positive, Positive] = (128.0, 128.0, 128.0)

    @field_validator("backbones")
    @classmethod
    def _known(cls, backbones: tuple[str, ...]) -> tuple[str, ...]:
        for name in backbones:
            if name not in BACKBONES and not is_imported(name):
                raise ValueError(f"backbone {name!r}; known: {', '.join((*BACKBONES, *FORMS))}")
        return backbones


class EmbeddingNetwork(nn.Module):
    """Images in, raw embeddings out; the caller brings them to unit norm.

    Each feature vector (one per map of each backbone) is centred and scaled to unit norm before
    they are joined, so that no map outweighs another. The backbones may compute in bfloat16; all
    else is float32.

    Raises:
        SetupError: a ``direct`` head and a dimension that is not that of the features.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.backbones = nn.ModuleList(
            build_backbone(name, architecture.input_size) for name in architecture.backbones
        )
        self.pooling = build_pooling(architecture.pooling, architecture.grid)
        sizes = [
            pooled_size(architecture.pooling, architecture.grid, channels)
            for backbone in self.backbones
            for channels in _channels(backbone)
        ]
        self.centres = nn.ParameterList(
            nn.Parameter(torch.zeros(size), requires_grad=False) for size in sizes
        )
        self.head = _build_head(architecture, sum(sizes))
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", _channelwise(architecture.mean), persistent=False)
        self.register_buffer("std", _channelwise(architecture.std), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, 3, h, w) or grey (n, 1, h, w) images of 0..255 to (n, d) float32."""
        raw: Tensor = self.head(self.join(self.pooled(images)))
        return raw

    def pooled(self, images: Tensor) -> list[Tensor]:
        """Return the feature vectors, (n, D) float32 each, before they are centred."""
        seen = self._light(images)
        return [
            self.pooling(features) for backbone in self.backbones for features in backbone(seen)
        ]

    def join(self, pooled: list[Tensor]) -> Tensor:
        """Centre the feature vectors, bring each to unit norm and join them."""
        parts = zip(pooled, self.centres, strict=True)
        return torch.cat([nn.functional.normalize(p - c, dim=1) for p, c in parts], dim=1)

    def _light(self, images: Tensor) -> Tensor:
        kind = self.architecture
        images = images if kind.colour else grey(images)
        if kind.light is Light.KEEP:
            # Grey levels are exact in bfloat16, and so much less is to be moved.
            dtype = self._dtype
            seen = images.to(dtype).sub(self.mean.to(dtype)).div_(self.std.to(dtype))
        else:
            seen = relieve(images.float(), kind.light).to(self._dtype).expand(-1, 3, -1, -1)
        return seen.contiguous(memory_format=torch.channels_last)

    @property
    def _dtype(self) -> torch.dtype:
        learned = next(self.backbones.parameters(), None)  # a program of others has none
        return torch.float32 if learned is None else learned.dtype


def _channelwise(values: Channels) -> Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)


def _channels(backbone: nn.Module) -> tuple[int, ...]:
    channels = backbone.channels
    if not isinstance(channels, tuple):
        raise TypeError(f"{type(backbone).__name__}.channels is no tuple")
    return channels


def _build_head(architecture: Architecture, size: int) -> nn.Module:
    dimension = architecture.dimension
    if architecture.head is Head.LINEAR:
        return nn.Linear(size, dimension)
    if architecture.head is Head.MLP:
        hidden = max(dimension, min(size, 4 * dimension))
        return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, dimension))
    if dimension != size:
        raise SetupError(f"dimension {dimension}, but a direct head gives the {size} features")
    return nn.Identity()
