"""The end of a run: the best weights, the metric learned on top, and the model folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor

from recognition.variable import text_of
from schemas.errors import SetupError
from workers.model.model_folder import (
    DIRECTIONS,
    ModelCard,
    head_weights,
    network_weights,
    write_model,
)
from workers.model.network import Architecture, Head
from workers.training.auxiliary import describe_heads
from workers.training.board import TensorBoard
from workers.training.config import TrainingConfig
from workers.training.data import Best, Samples, TrainingData, calibrate_tpir
from workers.training.directions import Figure, find_direction
from workers.training.learner import Learner
from workers.training.linear_map import fit_linear_map, fold
from workers.training.run_folder import TrainingFolder
from workers.training.variables import LearnedVariable, encode, fit_variable, varying

Weights = dict[str, Tensor]

_MAX_NAMES = 32  # a variable of more is a serial number, not a condition
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


def finish(
    learner: Learner,
    kept: Weights,
    best: Best,
    data: TrainingData,
    folder: TrainingFolder,
    board: TensorBoard,
) -> Path:
    """Write the model folder, and what the projector shows; return the model folder.

    Args:
        kept: the best weights, and the heads as they were then.
    """
    learner.load_weights(kept)
    config = learner.config
    plain = Ending(
        config.architecture,
        network_weights(kept),
        learner.embed(data.train.images),
        learner.embed(data.calibrate.images),
        best.tpir,
    )
    figures: dict[str, JsonValue] = {"best_step": best.step}
    heads = head_weights(kept)
    if report := _heads(learner, data.calibrate, plain.unseen):
        figures["heads_on_calibrate"] = report
    mapped, map_figures = end(plain, data, config)
    figures |= {"calibrate_tpir_at_fpir_0.05": round(mapped.tpir, 4), **map_figures}
    if mapped is not plain:
        heads = {}  # they know the embeddings before the map, which this model does not give
    if heads:
        figures["heads"] = describe_heads(learner.heads)
    directions, probes = _directions(mapped.seen, data.train)
    figures["directions"] = probes
    board.projector(
        best.step, mapped.unseen, _thumbnails(data.calibrate), _metadata(data.calibrate)
    )
    card = ModelCard(
        name=config.name,
        architecture=mapped.architecture,
        about=f"{', '.join(mapped.architecture.backbones)} trained with {config.loss}",
        training={"config": config.model_dump(mode="json"), "data": _about(data), **figures},
    )
    write_model(folder.model, card, {**mapped.weights, **directions, **heads})
    return folder.model


def _heads(
    learner: Learner, samples: Samples, embeddings: NDArray[np.float32]
) -> dict[str, JsonValue]:
    """Say what the auxiliary heads tell of images of identities that they have not seen."""
    values = encode(learner.targets.variables, samples.backgrounds)
    figures = learner.heads.report(
        torch.from_numpy(embeddings).to(learner.device), values.to(learner.device)
    )
    return {name: _described(figure) for name, figure in figures.items()}


def _directions(
    embeddings: NDArray[np.float32], samples: Samples
) -> tuple[Weights, dict[str, JsonValue]]:
    """Find the direction of each background variable that varies; tensors and figures."""
    tensors: Weights = {}
    figures: dict[str, JsonValue] = {}
    for variable in _varying_variables(samples):
        if len(variable.fitted.values) > _MAX_NAMES:
            continue
        codes = encode([variable], samples.backgrounds)[:, 0].numpy()
        direction = find_direction(embeddings, samples.labels, codes, variable)
        if direction is not None:
            tensors[f"{DIRECTIONS}{variable.name}"] = torch.from_numpy(direction.vectors)
            figures[variable.name] = {
                "toward": list(direction.names),
                **_described(direction.figure),
            }
    return tensors, figures


def _varying_variables(samples: Samples) -> Iterator[LearnedVariable]:
    """Fit each variable that varies as it is declared, or as it looks where that does not fit."""
    for name in varying(samples.backgrounds):
        values = [background.get(name) for background in samples.backgrounds]
        try:
            yield fit_variable(name, values, samples.declared.get(name))
        except SetupError:
            yield fit_variable(name, values)


def _described(figure: Figure) -> dict[str, JsonValue]:
    return {
        "measure": figure.measure,
        "value": _rounded(figure.value),
        "chance": _rounded(figure.chance),
        "images": figure.count,
    }


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _metadata(samples: Samples) -> dict[str, Sequence[str]]:
    names = varying(samples.backgrounds)
    columns = {name: [text_of(b.get(name)) for b in samples.backgrounds] for name in names}
    return {"identity": samples.labels, **columns}


def _thumbnails(samples: Samples) -> NDArray[np.uint8]:
    images = samples.images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
    return np.ascontiguousarray(images.numpy())


def _about(data: TrainingData) -> dict[str, JsonValue]:
    return {
        **data.source,
        "train_images": len(data.train),
        "train_identities": len(data.train.classes),
        "calibrate_images": len(data.calibrate),
        "calibrate_identities": len(data.calibrate.classes),
    }
