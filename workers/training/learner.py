"""Everything that learns in a run, and the one step that it takes."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from workers.model.backbone import PRETRAINED, freeze_early
from workers.model.model_folder import head_weights, network_weights
from workers.model.network import EmbeddingNetwork
from workers.training.augment import augment, turned_classes
from workers.training.auxiliary import AuxiliaryHeads, comparable
from workers.training.config import TrainingConfig
from workers.training.data import Samples
from workers.training.losses import build_loss
from workers.training.losses.base import Batch
from workers.training.sampler import IdentitySampler
from workers.training.start import first_network
from workers.training.tasks import Aim, kinds_of, parse_task
from workers.training.variables import make_targets

_TURNS = 4
_BATCH = 64


def warm_up_then_cosine(steps: int, warm_up: float) -> Callable[[int], float]:
    """Return the factor of the learning rate at each step, from 0 to 1.

    It rises linearly over the first ``warm_up`` share of the steps and falls by half a cosine to 0
    (Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5, without restarts).
    """
    rising = max(1, round(steps * warm_up))

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        progress = (step - rising) / max(1, steps - rising)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

    return factor


class Learner:
    """Network, loss, auxiliary heads, optimiser, schedule and average of one run.

    What a step draws depends on the seed and its number alone, so a run that is resumed goes on
    exactly as one that was never interrupted.
    """

    def __init__(
        self,
        config: TrainingConfig,
        samples: Samples,
        device: torch.device,
        network: EmbeddingNetwork | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.device = device
        self.network = first_network(config, samples, device) if network is None else network
        if config.pretrained:
            for backbone in self.network.backbones:
                freeze_early(backbone, config.frozen_blocks)
        self._still = list(_still(config, self.network))
        self._samples = samples
        self._labels = torch.from_numpy(samples.numbers())
        groups = samples.groups(config.group_by)
        self._groups = (
            torch.zeros_like(self._labels) if groups is None else torch.from_numpy(groups)
        )
        self._sampler = IdentitySampler(
            samples.numbers(), groups, config.identities, config.images, config.seed
        )
        self._classes = len(samples.classes)
        dimension = config.architecture.dimension
        many = self._classes * (_TURNS if config.quarter_turns else 1)
        self.loss = build_loss(config.loss, dimension, many).to(device)
        tasks = [parse_task(text, aim) for aim in Aim for text in getattr(config, aim.value)]
        self.targets = make_targets(
            samples.backgrounds, np.arange(len(samples)), kinds_of(tasks, samples.declared)
        )
        self._background = comparable(self.targets)
        self.heads = AuxiliaryHeads(dimension, self.targets.variables, tasks).to(device)
        moving = get_ema_multi_avg_fn(config.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=moving, use_buffers=True)
        self._optimiser = self._build_optimiser()
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, warm_up_then_cosine(config.steps, config.warm_up)
        )

    def step(self, number: int) -> dict[str, float]:
        """Take step ``number`` (from 0) and return its figures."""
        generator = torch.Generator().manual_seed(self.config.seed + number)
        torch.manual_seed(self.config.seed + number)  # what a loss draws
        rows = self._sampler.draw(number)
        images, labels = self._images(rows, generator)
        self.network.train()
        self.loss.train()
        for norm in self._still:
            norm.eval()
        # On processors bfloat16 was slower in training (measured: .76 s a step against .66 s).
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            raw = self.network(images)
        raw = raw.float()
        batch = Batch(
            raw=raw,
            embeddings=nn.functional.normalize(raw, dim=1),
            labels=labels,
            groups=self._groups[rows].to(self.device),
            background=self._background[rows].to(self.device),
        )
        metric = self.loss(batch)
        self.heads.set_progress(number / max(1, self.config.steps))
        auxiliary, parts = self.heads(batch.embeddings, self.targets.values[rows].to(self.device))
        self._optimiser.zero_grad()
        (metric + auxiliary).backward()
        rate = self._schedule.get_last_lr()[0]
        nn.utils.clip_grad_norm_(self._parameters(), self.config.clip)
        self._optimiser.step()
        self._schedule.step()
        self.average.update_parameters(self.network)
        figures: dict[str, float] = {"loss": float(metric.detach()), "learning_rate": float(rate)}
        figures.update({f"{name}_loss": float(loss) for name, loss in parts.items()})
        return figures

    @torch.inference_mode()
    def embed(self, images: Tensor) -> NDArray[np.float32]:
        """Embed (n, c, h, w) uint8 images with the averaged weights: (n, d) of unit norm."""
        self.average.eval()
        vectors = [
            nn.functional.normalize(self.average(part.to(self.device)).float(), dim=1).cpu()
            for part in torch.split(images, _BATCH)
        ]
        return torch.cat(vectors).numpy()

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the averaged weights and of the heads, on the processor."""
        # The keys of the heads begin with model_folder.HEADS, and no others do.
        state = {**self.average.module.state_dict(), **self.heads.state_dict()}
        return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Go back to what :meth:`weights` returned; the steps taken since then are forgotten."""
        self.average.module.load_state_dict(network_weights(weights))
        self.heads.load_state_dict(head_weights(weights))

    def state(self) -> dict[str, Any]:
        """Return everything that the next step depends on."""
        return {name: part.state_dict() for name, part in self._parts()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to what :meth:`state` returned."""
        for name, part in self._parts():
            part.load_state_dict(state[name])

    def _parts(self) -> Iterator[tuple[str, Any]]:
        yield "network", self.network
        yield "average", self.average
        yield "loss", self.loss
        yield "heads", self.heads
        yield "optimiser", self._optimiser
        yield "schedule", self._schedule

    def _images(self, rows: NDArray[np.intp], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        images = self._samples.images[rows].to(self.device, non_blocking=True)
        labels = self._labels[rows].to(self.device)
        if self.config.quarter_turns:
            images, labels = turned_classes(
                images, labels, self._classes, generator, self.config.images
            )
        return augment(images, self.config.augmentation, generator), labels

    def _build_optimiser(self) -> torch.optim.Optimizer:
        config = self.config
        backbone = [p for p in self.network.backbones.parameters() if p.requires_grad]
        mine = {id(parameter) for parameter in backbone}
        others = [p for p in self._parameters() if id(p) not in mine]
        groups = [
            {"params": backbone, "lr": config.backbone_rate},
            {"params": others, "lr": config.head_rate},
        ]
        return torch.optim.AdamW(groups, weight_decay=config.weight_decay)

    def _parameters(self) -> list[nn.Parameter]:
        parts = (self.network, self.loss, self.heads)
        return [p for part in parts for p in part.parameters() if p.requires_grad]


def _still(config: TrainingConfig, network: EmbeddingNetwork) -> Iterator[nn.Module]:
    """Yield the normalisations that keep the statistics of pretrained weights."""
    if config.pretrained and config.freeze_batch_norm:
        for name, backbone in zip(config.architecture.backbones, network.backbones, strict=True):
            if name in PRETRAINED or config.backbone is not None:
                yield from (m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d))
