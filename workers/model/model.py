"""The embedding model as the service uses it: uint8 images in, unit-norm float32 out."""

import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from schemas.choices import Device, InferenceRuntime, Precision, Views
from schemas.errors import SetupError
from schemas.settings import Settings
from workers.model.backbone import BACKBONES, fold_batch_norm, pretrained
from workers.model.forward import grey, unit
from workers.model.model_folder import ModelCard, Weights, network_weights, read_model, version
from workers.model.network import EmbeddingNetwork
from workers.model.runtimes.choice import RuntimeChoice
from workers.model.runtimes.forward_pass import ForwardPass, TorchPass, UnitNetwork
from workers.model.runtimes.memory import Measured
from workers.model.runtimes.workplace import Workplace
from workers.model.views import embed_views

DEFAULT_CARD = ModelCard(
    name="efficientnet-lite0-imagenet",
    about="EfficientNet-Lite0, pooled features, ImageNet weights",
)

_log = logging.getLogger(__name__)
_DTYPES = {Precision.FLOAT32: torch.float32, Precision.BFLOAT16: torch.bfloat16}


class EmbeddingModel:
    """A network with its normalisation, ready on its device. Threads may share it."""

    def __init__(
        self,
        card: ModelCard,
        weights: Weights,
        device: torch.device,
        precision: Precision,
        views: Views = Views.NONE,
    ) -> None:
        # Vectors of other views or precision are other vectors: a gallery must not mix them.
        self.version = version(card, weights)
        self.version += "" if precision is Precision.FLOAT32 else f"+{precision}"
        self.version += "" if views is Views.NONE else f"+{views}"
        self.dimension = card.architecture.dimension
        self.input_size = card.architecture.input_size
        self.device = device
        self._views = views
        network = _network(card, weights).to(device)
        if precision is not Precision.FLOAT32:
            _refuse_float32_only(card, network, precision)
        network.backbones.to(_DTYPES[precision])
        network = nn.utils.convert_conv2d_weight_memory_format(network, torch.channels_last)
        self._network = UnitNetwork(network)
        self._forward: ForwardPass = TorchPass(self._network)
        self.measured: Measured | None = None

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed images.

        Args:
            images: (n, h, w, 3) uint8, RGB, (h, w) = ``input_size``.

        Returns:
            (n, d) float32 of unit norm. What a broken image or network yields is not hidden: such
            a row has NaN in it, or is not of unit norm.

        Raises:
            ValueError: for another shape or type.
        """
        expected = (*self.input_size, 3)
        if images.dtype != np.uint8 or images.shape[1:] != expected:
            raise ValueError(f"{images.dtype} {images.shape}; expected uint8 (n, {expected})")
        if not len(images):
            return np.zeros((0, self.dimension), np.float32)
        with torch.inference_mode():
            # The strides of n, h, w, c seen as n, c, h, w are those of channels_last: no copy.
            tensor = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2)
            # Crops are interpolated, which takes numbers with a fraction.
            seen = tensor if self._views is Views.NONE else tensor.float()
            vectors = embed_views(self._forward, seen, self._views)
            return np.asarray(vectors.cpu().numpy())

    @property
    def runtime(self) -> InferenceRuntime:
        """What computes the forward pass."""
        return self._forward.runtime

    def run_on(self, runtime: InferenceRuntime, passes: int, cache: Path, *, measure: bool) -> None:
        """Let a runtime compute the forward pass; see :func:`load_model`."""
        floating, threads = self._views is not Views.NONE, torch.get_num_threads()
        place = Workplace(self.version, self.input_size, floating, threads, passes, cache)
        choice = RuntimeChoice(self._network, place)
        if measure:
            choice.measure()
        self._forward = choice.choose(runtime)
        self.measured = choice.recall()


def load_model(settings: Settings, passes: int = 1, *, measure: bool = False) -> EmbeddingModel:
    """Load the model that the settings name, and make it ready as they say.

    Args:
        settings: folder, device, precision, threads, views and runtime.
        passes: how many threads will use it at the same time.
        measure: measure every runtime anew, whatever is remembered; it takes a minute.

    Raises:
        SetupError: for a broken folder, weights that do not fit, a device that is not there, a
            model that gives no unit vector for a grey image; or the runtime that is named is not
            installed, does not fit the model, or computes in another way than is asked for.
    """
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    folder, device = settings.model, choose_device(settings.device)
    card, weights = (DEFAULT_CARD, default_weights()) if folder is None else read_model(folder)
    precision, runtime = settings.precision, settings.runtime
    model = EmbeddingModel(card, weights, device, precision, settings.views)
    _try_out(model)
    if device.type == "cpu" and precision is Precision.FLOAT32:
        if (cache := _cache(settings)) is not None:
            model.run_on(runtime, passes, cache, measure=measure)
    elif runtime not in (InferenceRuntime.AUTO, InferenceRuntime.TORCH):
        raise SetupError(
            f"PERENNIAL_RUNTIME={runtime} computes in float32 on a processor; "
            f"{precision} on {device.type} is torch's: use auto"
        )
    return model


def _cache(settings: Settings) -> Path | None:
    """Return the folder of what is kept; None where it would lie in a home that there is not.

    Raises:
        SetupError: it is needed for the runtime that is named.
    """
    try:
        return settings.cache.expanduser()
    except RuntimeError as error:  # a container's user may have no home
        why = f"PERENNIAL_CACHE={settings.cache}: {error} Name a folder"
        if settings.runtime not in (InferenceRuntime.AUTO, InferenceRuntime.TORCH):
            raise SetupError(f"{why} for PERENNIAL_RUNTIME={settings.runtime}") from error
        _log.warning("torch computes, though another runtime may be faster: %s", why)
        return None


def default_weights() -> Weights:
    """Return the weights that belong to ``DEFAULT_CARD``."""
    network = EmbeddingNetwork(DEFAULT_CARD.architecture)
    network.backbones[0].load_state_dict(pretrained("efficientnet-lite0"))
    return network.state_dict()


def _network(card: ModelCard, weights: Weights) -> EmbeddingNetwork:
    network = EmbeddingNetwork(card.architecture)
    try:
        network.load_state_dict(network_weights(weights))
    except RuntimeError as error:
        raise SetupError(f"weights do not fit {card.name}: {error}") from error
    network.eval()
    for name, backbone in zip(card.architecture.backbones, network.backbones, strict=True):
        if name in BACKBONES:  # of the others it is not known in what order they call their parts
            fold_batch_norm(backbone)
    return network.requires_grad_(requires_grad=False)


def _refuse_float32_only(card: ModelCard, network: EmbeddingNetwork, wanted: Precision) -> None:
    for name, backbone in zip(card.architecture.backbones, network.backbones, strict=True):
        if getattr(backbone, "float32_only", False):
            raise SetupError(
                f"PERENNIAL_PRECISION={wanted}: the backbone {name} of {card.name} computes as its "
                "file says; use float32"
            )


def choose_device(wanted: Device) -> torch.device:
    """Return the device to compute on.

    Raises:
        SetupError: CUDA is wanted and not there.
    """
    present = torch.cuda.is_available()
    if wanted is Device.CUDA and not present:
        raise SetupError("PERENNIAL_DEVICE=cuda, but torch sees no CUDA device; use auto or cpu")
    return torch.device("cuda" if present and wanted is not Device.CPU else "cpu")


def _try_out(model: EmbeddingModel) -> None:
    """Run once: the first pass is slow, and a model without sound output must not start."""
    vectors = model.embed(grey(model))
    if vectors.shape != (1, model.dimension) or not unit(vectors).all():
        raise SetupError(
            f"model {model.version} gives {vectors.shape} for a grey image, not one unit vector "
            f"of dimension {model.dimension}"
        )
