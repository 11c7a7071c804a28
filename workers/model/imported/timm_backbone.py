"""A backbone of timm without its classifier: weights come from the model folder, never from a net.

Source: Wightman 2019, PyTorch Image Models, doi 10.5281/zenodo.4414861.
"""

import json
from typing import Any

import timm
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.model.imported.program import as_map


class TimmBackbone(nn.Module):
    """An architecture of timm, pooled as its authors pool it.

    Args:
        name: of the architecture, with a pretrained tag or without.
        arguments: more for ``timm.create_model``.
        input_size: height and width of the images that it will see.

    Raises:
        SetupError: timm knows no such architecture, or it takes other arguments.
    """

    def __init__(self, name: str, arguments: dict[str, Any], input_size: tuple[int, int]) -> None:
        super().__init__()
        self.network = create(name, arguments, input_size)
        self.channels = (_width(self.network),)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (n, 3, h, w), normalised, to its features, as a map."""
        return [as_map(self.network(images))]


def create(
    name: str, arguments: dict[str, Any], input_size: tuple[int, int] | None, **more: Any
) -> nn.Module:
    """Build a network of timm without its classifier; transformers are told the input's size."""
    wanted = {"num_classes": 0, **arguments, **more}
    try:
        network: nn.Module = timm.create_model(name, **wanted)
        if input_size is not None and _fixed(network) not in (None, input_size):
            network = timm.create_model(name, **wanted, img_size=input_size)
    except (RuntimeError, TypeError, ValueError, AssertionError, OSError) as error:
        raise SetupError(f"timm {timm.__version__} does not build {name}: {error}") from error
    return network


def _width(network: Any) -> int:
    """Return how many features there are: some networks have a layer more before the classifier."""
    return int(getattr(network, "head_hidden_size", network.num_features))


def _fixed(network: nn.Module) -> tuple[int, int] | None:
    """Return the only size that a transformer takes, height and width."""
    size = getattr(getattr(network, "patch_embed", None), "img_size", None)
    return None if size is None else (int(size[0]), int(size[1]))


def spelled(name: str, arguments: dict[str, Any]) -> str:
    """Return how ``model.json`` names the backbone."""
    more = json.dumps(arguments, separators=(",", ":"), sort_keys=True) if arguments else ""
    return f"timm:{name}{more}"


def build(argument: str, input_size: tuple[int, int]) -> TimmBackbone:
    """Build the backbone that is spelled so, behind ``timm:``."""
    name, brace, rest = argument.partition("{")
    try:
        arguments = json.loads(brace + rest) if brace else {}
    except json.JSONDecodeError as error:
        raise SetupError(f"backbone timm:{argument}: {error}") from error
    return TimmBackbone(name, arguments, input_size)
