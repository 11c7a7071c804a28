"""A model on disk: a folder with ``model.json`` and ``weights.safetensors``. Never a pickle."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from schemas.errors import SetupError

CARD = "model.json"
WEIGHTS = "weights.safetensors"

Channels = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]
Weights = Mapping[str, Tensor]


class ModelCard(BaseModel):
    """What ``model.json`` says. ``mean`` and ``std`` are per channel, on the 0 to 255 scale."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    architecture: str
    dimension: int = Field(ge=1)
    input_size: int = Field(224, ge=8, le=4096)
    mean: Channels
    std: tuple[Positive, Positive, Positive]
    about: str = ""


def version(card: ModelCard, weights: Weights) -> str:
    """Return ``name@hash``: 12 hex digits of the SHA-256 over the card and every tensor.

    The order of the tensors and the container they came in do not matter; ``about`` does.
    """
    digest = hashlib.sha256(card.model_dump_json().encode())
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return f"{card.name}@{digest.hexdigest()[:12]}"


def write_model(folder: Path, card: ModelCard, weights: Weights) -> None:
    """Write a model folder, so that a model can be pinned and handed on."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / WEIGHTS)
    (folder / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_model(folder: Path) -> tuple[ModelCard, dict[str, Tensor]]:
    """Read a model folder.

    Raises:
        SetupError: naming the file that is missing or wrong.
    """
    try:
        card = ModelCard.model_validate_json((folder / CARD).read_bytes())
        return card, load_file(folder / WEIGHTS)
    except (OSError, ValidationError, SafetensorError) as error:
        raise SetupError(f"model folder {folder} (PERENNIAL_MODEL): {error}") from error
