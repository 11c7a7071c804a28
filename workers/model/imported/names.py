"""How ``model.json`` names a backbone that is not ours, and how it is built."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from torch import nn

from schemas.errors import SetupError

_MODULES = {
    "onnx": "workers.model.imported.onnx_backbone",
    "timm": "workers.model.imported.timm_backbone",
    "torchscript": "workers.model.imported.script_backbone",
}
_NAME = re.compile(r"onnx:[1-9]\d*|torchscript:[1-9]\d*|timm:\S+")

FORMS = ("onnx:FEATURES", "torchscript:FEATURES", "timm:ARCHITECTURE")


def is_imported(name: str) -> bool:
    """Tell whether a name has the form of a backbone that is not ours."""
    return _NAME.fullmatch(name) is not None


def build_imported(name: str, input_size: tuple[int, int]) -> nn.Module:
    """Build such a backbone; its weights, or its program, come with the model's weights.

    Args:
        name: for which :func:`is_imported` holds.
        input_size: height and width of the images that it will see.

    Raises:
        SetupError: a package is missing, or timm knows no such architecture.
    """
    kind, _, argument = name.partition(":")
    build: Callable[[str, tuple[int, int]], nn.Module] = module_for(name, _MODULES[kind]).build
    return build(argument, input_size)


def module_for(name: str, module: str) -> Any:
    """Import what reads a backbone; where a package is not there, say how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise SetupError(f"{name}: {error}; `make install-timm` installs timm") from error
