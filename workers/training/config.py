"""What a training run is made of: everything that decides its outcome, besides the images."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from schemas.errors import SetupError
from workers.model.network import Architecture, Head
from workers.model.photometric import Light
from workers.model.pooling import Pooling
from workers.training.augment import Augmentation
from workers.training.linear_map import LinearMetric
from workers.training.losses import parse_loss
from workers.training.tasks import parse_task

Rate = Annotated[float, Field(gt=0, lt=1)]

DEFAULT_ARCHITECTURE = Architecture(
    backbones=("efficientnet-lite0-middle",),
    pooling=Pooling.GRID,
    grid=(8, 5),
    head=Head.LINEAR,
    dimension=512,
    input_size=(160, 96),
    colour=False,
    light=Light.STANDARDISE,
)


class TrainingConfig(BaseModel):
    """The settings of a run; written into its folder, and read again when it is resumed.

    Attributes:
        backbone: model folder whose backbones the run starts from; else ours are.
        pretrained: start from ImageNet weights; else from scratch.
        whitened_start: set a linear head to whitened principal components of the train part before
            the first step.
        freeze_batch_norm: keep the statistics of pretrained backbones: a batch of a few identities
            would estimate them badly.
        frozen_blocks: first blocks of pretrained backbones that stay as they are. Edges and spots
            are the same everywhere, and their maps are the largest: half the time of a step.
        loss: as ``build_loss`` reads it.
        identities: P, in a batch.
        images: K, of each of them.
        backbone_rate: highest learning rate of the backbones.
        head_rate: highest learning rate of everything else.
        weight_decay: of AdamW.
        warm_up: share of the steps in which the rates rise; they fall by a cosine after it.
        clip: largest norm of the gradient.
        average: decay of the exponential moving average of the weights, which is what is exported.
        evaluate_every: steps between two evaluations on the calibrate part.
        patience: evaluations without a better one after which the run ends.
        quarter_turns: make each turned identity another class: for drawings.
        predict: background variables that the embedding shall tell of, ``name:kind*weight``.
        reverse: those that gradient reversal shall hide from a head.
        erase: those that no linear probe shall find.
        group_by: variables whose values make the groups inside an identity.
        linear_map: metric learned on the embeddings after the last step, and folded in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field("perennial", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    architecture: Architecture = DEFAULT_ARCHITECTURE
    backbone: Path | None = None
    pretrained: bool = True
    whitened_start: bool = True
    freeze_batch_norm: bool = True
    frozen_blocks: int = Field(3, ge=0)
    loss: str = "multi-similarity"
    identities: int = Field(24, ge=2)
    images: int = Field(4, ge=1)
    steps: int = Field(300, ge=0)
    backbone_rate: float = Field(6e-4, ge=0)
    head_rate: float = Field(3e-4, ge=0)
    weight_decay: float = Field(1e-2, ge=0)
    warm_up: Rate = 0.15
    clip: float = Field(5.0, gt=0)
    average: Rate = 0.98
    evaluate_every: int = Field(50, ge=1)
    patience: int = Field(8, ge=1)
    augmentation: Augmentation = Augmentation()
    quarter_turns: bool = False
    predict: tuple[str, ...] = ()
    reverse: tuple[str, ...] = ()
    erase: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    linear_map: LinearMetric | None = None
    seed: int = Field(0, ge=0)

    @field_validator("loss")
    @classmethod
    def _known_loss(cls, loss: str) -> str:
        _or_value_error(lambda: parse_loss(loss))
        return loss

    @field_validator("predict", "reverse", "erase")
    @classmethod
    def _readable(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        for text in tasks:
            _or_value_error(partial(parse_task, text))
        return tasks

    @field_validator("quarter_turns")
    @classmethod
    def _square(cls, quarter_turns: bool, info: ValidationInfo) -> bool:
        architecture = info.data.get("architecture")
        if quarter_turns and architecture is not None:
            height, width = architecture.input_size
            if height != width:
                raise ValueError(f"turning needs a square input_size, not {height} x {width}")
        return quarter_turns


def _or_value_error(check: Callable[[], object]) -> None:
    """Let pydantic gather what is wrong: it knows only ``ValueError``."""
    try:
        check()
    except SetupError as error:
        raise ValueError(str(error)) from error
