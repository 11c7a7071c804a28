"""The example loop of pytorch-metric-learning, top to bottom."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_metric_learning.losses import MultiSimilarityLoss
from pytorch_metric_learning.miners import MultiSimilarityMiner
from pytorch_metric_learning.samplers import MPerClassSampler
from pytorch_metric_learning.utils import common_functions
from torch import Tensor, nn
from torch.utils.data import BatchSampler

from benchmarks.peer_training.budget import Budget
from benchmarks.peer_training.crops import random_resized_crops
from workers.model.backbone import BACKBONES, pretrained
from workers.training.data import Best, Samples, TrainingData, calibrate_tpir

DIMENSION = 64
BATCH, IMAGES = 32, 4
TRUNK_RATE, EMBEDDER_RATE, WEIGHT_DECAY = 1e-5, 1e-4, 1e-4
_MEAN, _STD = 127.0, 128.0  # what the ImageNet weights were trained with


class Peer(nn.Module):
    """A trunk with average pooling, and an embedder of one linear layer."""

    def __init__(self, backbone: str, dimension: int) -> None:
        super().__init__()
        self.trunk = BACKBONES[backbone]()
        if weights := pretrained(backbone):
            self.trunk.load_state_dict(weights)
        channels = self.trunk.channels
        if not isinstance(channels, tuple):
            raise TypeError(f"{backbone}.channels is no tuple")
        self.embedder = nn.Linear(sum(channels), dimension)

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, 3, h, w) of 0..255 to (n, dimension)."""
        maps = self.trunk((images - _MEAN) / _STD)
        embedded: Tensor = self.embedder(torch.cat([one.mean((2, 3)) for one in maps], dim=1))
        return embedded


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The peer at its best, and after how many steps on calibrate that was."""

    peer: Peer
    best: Best
    seconds: float
    steps: int


def train_peer(
    data: TrainingData,
    budget: Budget,
    device: torch.device,
    *,
    backbone: str = "efficientnet-lite0",
    dimension: int = DIMENSION,
    seed: int = 0,
    on_step: Callable[[], None] = lambda: None,
) -> Trained:
    """Train until the budget is spent; keep the epoch that recognises calibrate best, 0 included.

    The looks at calibrate are not charged.
    """
    torch.manual_seed(seed)
    common_functions.NUMPY_RANDOM = np.random.RandomState(seed)  # what the sampler draws from
    generator = torch.Generator().manual_seed(seed)
    peer = Peer(backbone, dimension).to(device)
    optimisers = [
        torch.optim.Adam(peer.trunk.parameters(), lr=TRUNK_RATE, weight_decay=WEIGHT_DECAY),
        torch.optim.Adam(peer.embedder.parameters(), lr=EMBEDDER_RATE, weight_decay=WEIGHT_DECAY),
    ]
    loss_func, mining_func = MultiSimilarityLoss(), MultiSimilarityMiner(epsilon=0.1)
    labels = torch.from_numpy(data.train.numbers())
    best, kept = Best(), peer.state_dict()
    while True:
        tpir = calibrate_tpir(embed(peer, data.calibrate.images, device), data.calibrate)
        if best.better(tpir, budget.steps):
            kept = deepcopy(peer.state_dict())
        if budget.spent():
            break
        peer.train()
        for rows in _epoch(data.train):
            with budget.step():
                images = data.train.images[rows].to(device).float()
                embeddings = peer(random_resized_crops(images, generator))
                mine = labels[rows].to(device)
                loss = loss_func(embeddings, mine, mining_func(embeddings, mine))
                for optimiser in optimisers:
                    optimiser.zero_grad()
                loss.backward()
                for optimiser in optimisers:
                    optimiser.step()
            on_step()
            if budget.spent():
                break
    peer.load_state_dict(kept)
    return Trained(peer, best, budget.seconds, budget.steps)


@torch.inference_mode()
def embed(peer: Peer, images: Tensor, device: torch.device) -> NDArray[np.float32]:
    """Embed (n, 3, h, w) uint8 images: (n, d) of unit norm."""
    peer.eval()
    vectors = [
        nn.functional.normalize(peer(part.to(device).float()), dim=1).cpu()
        for part in torch.split(images, BATCH)
    ]
    return torch.cat(vectors).numpy()


def _epoch(samples: Samples) -> Iterator[list[int]]:
    """Yield the batches of one epoch."""
    sampler = MPerClassSampler(samples.numbers(), m=IMAGES, length_before_new_iter=len(samples))
    yield from BatchSampler(sampler, min(BATCH, len(sampler)), drop_last=True)
