"""The last linear map of a run: learned on its embeddings, kept where it helps, and folded in."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor

from workers.network import Architecture, Head
from workers.training.config import TrainingConfig
from workers.training.data import TrainingData
from workers.training.linear_map import fit_linear_map, fold
from workers.training.selection import calibrate_tpir
from workers.training.whitening import whiten

Weights = dict[str, Tensor]
Vectors = NDArray[np.float32]

_POWERS = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """A network and what it gives.

    Attributes:
        architecture: of the network.
        weights: of the network.
        seen: (n, d) its raw embeddings of the train images.
        unseen: (m, d) those of the calibrate images.
        tpir: on the calibrate part.
    """

    architecture: Architecture
    weights: Weights
    seen: Vectors
    unseen: Vectors
    tpir: float

    def then(self, learned: Vectors, centre: Vectors, tpir: float) -> "Ending":
        """Return this followed by x ↦ M (x - c)."""
        architecture, weights = fold_in(self.architecture, self.weights, learned, centre)
        return replace(
            self,
            architecture=architecture,
            weights=weights,
            seen=_mapped(self.seen, learned, centre),
            unseen=_mapped(self.unseen, learned, centre),
            tpir=tpir,
        )


def end(
    found: Ending, data: TrainingData, config: TrainingConfig
) -> tuple[Ending, dict[str, JsonValue]]:
    """Add the maps that a run asks for, each where the calibrate part is recognised better with it.

    Returns:
        The ending, and the figures of the maps.
    """
    figures: dict[str, JsonValue] = {}
    heads = config.predict or config.reverse or config.erase
    several = len(data.train) > len(data.train.classes)  # else nothing varies within an identity
    if config.whitened_end and several and not heads:
        learned, centre, tpir = _whiten(found, data)
        figures["calibrate_tpir_with_whitened_end"] = round(tpir, 4)
        found = found.then(learned, centre, tpir) if tpir > found.tpir else found
    if config.linear_map is not None:
        seen, unseen = unit(found.seen), unit(found.unseen)
        size = seen.shape[1]
        mapped = fit_linear_map(seen, data.train.labels, config.linear_map, size, config.seed)
        tpir = calibrate_tpir(unit(unseen @ mapped.T), data.calibrate)
        figures["calibrate_tpir_with_linear_map"] = round(tpir, 4)
        found = found.then(mapped, np.zeros(size, np.float32), tpir) if tpir > found.tpir else found
    return found, figures


def fold_in(
    architecture: Architecture, weights: Weights, learned: Vectors, centre: Vectors
) -> tuple[Architecture, Weights]:
    """Return the network followed by x ↦ M (x - c), as one network without it.

    A direct head becomes a linear one, a linear one another; of an MLP it is the last layer.

    Args:
        architecture: of the network.
        weights: of the network.
        learned: M, (k, d).
        centre: c, (d,).
    """
    shift = learned @ centre
    if architecture.head is Head.DIRECT:
        changed = architecture.model_copy(update={"head": Head.LINEAR, "dimension": len(learned)})
        return changed, {**weights, **_layer("head", learned, -shift)}
    layer = "head" if architecture.head is Head.LINEAR else "head.2"
    old = (weights[f"{layer}.weight"].numpy(), weights[f"{layer}.bias"].numpy())
    weight, bias = fold(*old, learned)
    changed = architecture.model_copy(update={"dimension": len(learned)})
    return changed, {**weights, **_layer(layer, weight, -shift if bias is None else bias - shift)}


def unit(vectors: Vectors) -> Vectors:
    """Scale (n, d) to unit norm; a zero vector stays what it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def _mapped(vectors: Vectors, learned: Vectors, centre: Vectors) -> Vectors:
    return np.asarray((vectors - centre) @ learned.T, np.float32)


def _layer(name: str, weight: Vectors, bias: Vectors) -> Weights:
    return {
        f"{name}.weight": torch.from_numpy(weight.astype(np.float32)),
        f"{name}.bias": torch.from_numpy(bias.astype(np.float32)),
    }


def _whiten(found: Ending, data: TrainingData) -> tuple[Vectors, Vectors, float]:
    """Whiten within identities once more, for training has moved what varies there.

    On holstein2025, TPIR of the calibrate part rose from .365 to .412, on omniglot it fell from
    .783 to .746: so it is tried, with several powers.
    """
    centre = np.asarray(found.seen.mean(axis=0), np.float32)
    points, labels = (found.seen - centre).astype(np.float64), data.train.numbers()
    tried = []
    for power in _POWERS:
        exact = whiten(points, labels.astype(np.intp), points.shape[1], power)
        exact /= np.linalg.norm(points @ exact.T, axis=1).mean()
        learned: Vectors = exact.astype(np.float32)
        tpir = calibrate_tpir(unit(_mapped(found.unseen, learned, centre)), data.calibrate)
        tried.append((learned, centre, tpir))
    return max(tried, key=lambda one: one[2])
