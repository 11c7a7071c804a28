"""Model folders small enough to be made anew for each test."""

from pathlib import Path

import torch
from pydantic import JsonValue

from workers.model.model_folder import DIRECTIONS, ModelCard, write_model
from workers.model.network import Architecture, EmbeddingNetwork, Head

# A bias in the head gives a vector even for the grey image, which is nothing to fresh convolutions.
TINY = Architecture(backbones=("conv4",), head=Head.LINEAR, dimension=8, input_size=(16, 16))

TRAINING: dict[str, JsonValue] = {
    "config": {"loss": "0.1*arcface+triplet", "erase": ["light"], "linear_map": None, "seed": 5},
    "data": {"train_images": 120, "train_identities": 15},
    "calibrate_tpir_at_fpir_0.05": 0.625,
    "best_step": 40,
    "heads_on_calibrate": {
        "light": {"measure": "balanced accuracy", "value": 0.91, "chance": 0.5, "images": 30}
    },
    "directions": {
        "hour": {
            "toward": ["hour"],
            "measure": "mean circular error",
            "value": 1.25,
            "chance": None,
            "images": 120,
        }
    },
}


def write_tiny(
    folder: Path,
    *,
    name: str = "tiny",
    seed: int = 0,
    training: dict[str, JsonValue] | None = None,
) -> Path:
    """Write a model folder with random weights and a direction; return it."""
    torch.manual_seed(seed)
    weights = EmbeddingNetwork(TINY).state_dict()
    card = ModelCard(name=name, architecture=TINY, about="for tests", training=training)
    write_model(folder, card, {**weights, f"{DIRECTIONS}hour": torch.ones(2, 8)})
    return folder
