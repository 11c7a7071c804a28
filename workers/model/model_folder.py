"""A model on disk: a folder with ``model.json`` and ``weights.safetensors``. Never a pickle."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from schemas.errors import SetupError
from workers.model.network import Architecture

CARD = "model.json"
WEIGHTS = "weights.safetensors"
DIRECTIONS = "directions."
"""Prefix of the direction of each background variable."""
HEADS = "heads."
"""Prefix of the auxiliary heads: :mod:`workers.training.auxiliary`."""

Weights = Mapping[str, Tensor]


class ModelCard(BaseModel):
    """What ``model.json`` says.

    Attributes:
        name: of the model; with a hash it makes the version.
        architecture: what the network is made of.
        about: a line for people.
        training: where it comes from: the settings, the data and what was measured meanwhile.
        evaluation: figures of ``perennial evaluate``, as ``perennial model export`` put them in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    architecture: Architecture = Architecture()
    about: str = ""
    training: dict[str, JsonValue] | None = None
    evaluation: dict[str, JsonValue] | None = None


def version(card: ModelCard, weights: Weights) -> str:
    """Return ``name@hash``: 12 hex digits of the SHA-256 over what makes the vectors.

    That is the architecture and every weight. Neither the order of the tensors nor the container
    they came in matters, nor what the card tells of the model: evaluating it does not change it.
    """
    digest = hashlib.sha256(card.architecture.model_dump_json().encode())
    own = network_weights(weights)
    for name in sorted(own):
        tensor = own[name].detach().cpu().contiguous()
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return f"{card.name}@{digest.hexdigest()[:12]}"


def network_weights(weights: Weights) -> dict[str, Tensor]:
    """Return the tensors that the network is made of, without what stands beside it."""
    return {n: tensor for n, tensor in weights.items() if not n.startswith((DIRECTIONS, HEADS))}


def head_weights(weights: Weights) -> dict[str, Tensor]:
    """Return the tensors of the auxiliary heads."""
    return {name: tensor for name, tensor in weights.items() if name.startswith(HEADS)}


def write_model(folder: Path, card: ModelCard, weights: Weights) -> None:
    """Write a model folder, so that a model can be pinned and handed on."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    save_file(tensors, folder / WEIGHTS)
    (folder / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    # safetensors writes for its owner alone; a service may run as somebody else.
    (folder / WEIGHTS).chmod((folder / CARD).stat().st_mode)


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
