"""The last linear map of a run: learned on its embeddings, kept where it helps, and folded in."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor

from workers.model.network import Architecture, Head
from workers.training.config import TrainingConfig
from workers.training.data import TrainingData, calibrate_tpir
from workers.training.linear_map import fit_linear_map, fold

Weights = dict[str, Tensor]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """A network and what it gives.

    Attributes:
        seen: (n, d) its embeddings of the train images, of unit norm.
        unseen: (m, d) those of the calibrate images.
    """

    architecture: Architecture
    weights: Weights
    seen: Vectors
    unseen: Vectors
    tpir: float


def end(
    ending: Ending, data: TrainingData, config: TrainingConfig
) -> tuple[Ending, dict[str, JsonValue]]:
    """Add the map that a run asks for, where the calibrate part is recognised better with it.

    Returns:
        The ending, and the figure of the map.
    """
    if config.linear_map is None:
        return ending, {}
    size = ending.seen.shape[1]
    learned = fit_linear_map(ending.seen, data.train.labels, config.linear_map, size, config.seed)
    unseen = _unit(ending.unseen @ learned.T)
    tpir = calibrate_tpir(unseen, data.calibrate)
    figures: dict[str, JsonValue] = {"calibrate_tpir_with_linear_map": round(tpir, 4)}
    if tpir <= ending.tpir:
        return ending, figures
    architecture, weights = fold_in(ending.architecture, ending.weights, learned)
    return Ending(architecture, weights, _unit(ending.seen @ learned.T), unseen, tpir), figures


def fold_in(
    architecture: Architecture, weights: Weights, learned: Vectors
) -> tuple[Architecture, Weights]:
    """Return the network followed by a linear map, as one network without it.

    A direct head becomes a linear one, a linear one another; of an MLP it is the last layer.
    """
    if architecture.head is Head.DIRECT:
        changed = architecture.model_copy(update={"head": Head.LINEAR, "dimension": len(learned)})
        head = {"head.weight": torch.from_numpy(learned), "head.bias": torch.zeros(len(learned))}
        return changed, {**weights, **head}
    layer = "head" if architecture.head is Head.LINEAR else "head.2"
    old = (weights[f"{layer}.weight"].numpy(), weights[f"{layer}.bias"].numpy())
    weight, bias = fold(*old, learned)
    head = {f"{layer}.weight": torch.from_numpy(weight), f"{layer}.bias": torch.from_numpy(bias)}
    return architecture.model_copy(update={"dimension": len(learned)}), {**weights, **head}


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
