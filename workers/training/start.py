"""The first weights: pretrained backbones, and a head that already whitens what they see."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.model.backbone import pretrained
from workers.model.model_folder import read_model
from workers.model.network import Architecture, EmbeddingNetwork, Head
from workers.training.config import DEFAULT_ARCHITECTURE, TrainingConfig
from workers.training.data import Samples
from workers.training.linear_map import residuals

_BATCH = 64
_FLOOR = 0.03  # of the mean variance within identities, added to all
_TINY = float(np.finfo(np.float32).tiny)


def first_network(
    config: TrainingConfig, samples: Samples, device: torch.device
) -> EmbeddingNetwork:
    """Build the network of a run with its first weights."""
    network = EmbeddingNetwork(config.architecture)
    if config.backbone is not None:
        network.backbones.load_state_dict(_backbones_in(config.backbone, config.architecture))
    elif config.pretrained:
        for name, backbone in zip(config.architecture.backbones, network.backbones, strict=True):
            if weights := pretrained(name):
                backbone.load_state_dict(weights)
    nn.utils.convert_conv2d_weight_memory_format(network.to(device), torch.channels_last)
    if config.whitened_start:
        whiten_head(network, samples, device)
    return network


def architecture_on(folder: Path) -> Architecture:
    """Return the architecture of a run that starts from the backbones of a model folder.

    All that concerns the input stays as the backbones know it. Where the features were the
    embedding, a linear head follows them now.

    Raises:
        SetupError: naming the file that is missing or wrong.
    """
    kept = read_model(folder)[0].architecture
    if kept.head is not Head.DIRECT:
        return kept
    dimension = min(kept.dimension, DEFAULT_ARCHITECTURE.dimension)
    return kept.model_copy(update={"head": Head.LINEAR, "dimension": dimension})


def _backbones_in(folder: Path, architecture: Architecture) -> dict[str, Tensor]:
    card, weights = read_model(folder)
    if card.architecture.backbones != architecture.backbones:
        raise SetupError(
            f"{folder} has the backbones {', '.join(card.architecture.backbones)}; the run is set "
            f"up for {', '.join(architecture.backbones)}"
        )
    prefix = "backbones."
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}


def whiten_head(network: EmbeddingNetwork, samples: Samples, device: torch.device) -> None:
    """Set a linear head to principal components, whitened within identities.

    What varies between images of one identity is divided by how much it does (relevant component
    analysis: Bar-Hillel et al. 2005, JMLR 6). Fitted on the images as they are: with augmented
    copies among them it told unseen identities apart worse (yaleb, calibrate part: TPIR .78 against
    .94). A head of another kind is left as it is; only the centres are set.

    Raises:
        SetupError: no more images than the head has dimensions, or fewer features.
    """
    labels = samples.numbers()
    pooled = _pooled(network, samples, device)
    for centre, part in zip(network.centres, pooled, strict=True):
        centre.data.copy_(part.mean(dim=0))
    if not isinstance(network.head, nn.Linear):
        return
    features = network.join([part.to(device) for part in pooled]).cpu().numpy()
    dimension = network.head.out_features
    most = min(len(features) - 1, features.shape[1])
    if dimension > most:
        raise SetupError(
            f"dimension {dimension}: {len(features)} train images of {features.shape[1]} features "
            f"allow at most {most}"
        )
    weight, bias = whitened(features, labels, dimension)
    network.head.weight.data.copy_(torch.from_numpy(weight))
    network.head.bias.data.copy_(torch.from_numpy(bias))


def whitened(
    features: NDArray[np.float32], labels: NDArray[np.int64], dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weight (k, D) and bias (k,) that map features (n, D) to whitened components.

    Scaled so that the mapped features have a norm of 1 on average.
    """
    components = PCA(dimension, svd_solver="randomized", random_state=0).fit(features)
    points = components.transform(features).astype(np.float64)
    inside = residuals(points, labels)
    values, vectors = np.linalg.eigh(inside.T @ inside / len(inside))
    floor = max(_FLOOR * values.mean(), _TINY)  # where each identity has a single image
    white = (vectors / np.sqrt(values.clip(0) + floor)).T
    white /= np.linalg.norm(points @ white.T, axis=1).mean()
    weight = white @ components.components_
    return weight.astype(np.float32), (-weight @ components.mean_).astype(np.float32)


@torch.inference_mode()
def _pooled(network: EmbeddingNetwork, samples: Samples, device: torch.device) -> list[Tensor]:
    network.eval()
    parts = [
        [part.cpu() for part in network.pooled(images.to(device))]
        for images in torch.split(samples.images, _BATCH)
    ]
    return [torch.cat(column).clone() for column in zip(*parts, strict=True)]
