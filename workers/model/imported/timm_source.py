"""An architecture of timm with its weights, read as a backbone. Only here may timm fetch them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.model.imported.source import Imported, Preprocessing, assemble
from workers.model.imported.timm_backbone import TimmBackbone, create, spelled

_OURS = frozenset({"num_classes", "img_size"})
"""What is not the source's to say: the classifier is left out, and the input's size is stored."""


def from_timm(source: str, weights: Path | None, given: Preprocessing) -> Imported:
    """Read an architecture of timm: ``timm:NAME``, ``hf-hub:OWNER/NAME`` or ``local-dir:FOLDER``.

    Args:
        source: which.
        weights: a file of weights; else those that timm fetches, or finds in the folder.
        given: what is said of the images; it goes before what timm knows of them.

    Raises:
        SetupError: timm does not know it or cannot fetch it; the weights do not fit.
    """
    name = source.removeprefix("timm:")
    network = create(name, {}, given.size, pretrained=weights is None)
    left_out = () if weights is None else _load(network, weights)
    known = _known(network)
    stated = known.model_copy(update=_stated(given))
    kept: Mapping[str, Any] = getattr(network, "_model_args", {})
    arguments = {key: value for key, value in kept.items() if key not in _OURS}
    architecture = str(network.pretrained_cfg["architecture"])  # type: ignore[index]
    assert stated.size is not None
    backbone = TimmBackbone(architecture, arguments, stated.size)
    backbone.network.load_state_dict(network.state_dict())
    remarks = (f"left out of {weights}: {', '.join(left_out)}",) if left_out else ()
    return assemble(spelled(architecture, arguments), backbone, *backbone.channels, stated, remarks)


def _known(network: nn.Module) -> Preprocessing:
    config = timm.data.resolve_model_data_config(network)
    _, height, width = config["input_size"]
    return Preprocessing(size=(height, width), mean=config["mean"], std=config["std"])


def _stated(given: Preprocessing) -> dict[str, Any]:
    """Return what the user said; the scale is that of a mean and a deviation that were given."""
    stated = {name: getattr(given, name) for name in given.model_fields_set}
    stated = {name: value for name, value in stated.items() if value is not None}
    if "mean" in stated or "std" in stated:
        if not {"mean", "std"} <= stated.keys():
            raise SetupError("give --mean and --std together")
    else:
        stated.pop("scale", None)
    return stated


def _load(network: nn.Module, path: Path) -> tuple[str, ...]:
    """Load weights from a file; return the names of those that the network has no use for."""
    try:
        state = timm.models.load_state_dict(str(path), device="cpu", weights_only=True)
        fitting = _without_prefix(state, network.state_dict().keys())
        missing, left_out = network.load_state_dict(fitting, strict=False)
    except Exception as error:  # what readers of files raise, pickles that are refused among them
        raise SetupError(f"weights {path}: {error}") from error
    if missing:
        raise SetupError(
            f"weights {path} lack {len(missing)} of the network's tensors: "
            f"{', '.join(missing[:4])}; they have {', '.join(sorted(state)[:4])}"
        )
    return tuple(left_out)


def _without_prefix(state: dict[str, Tensor], wanted: Any) -> dict[str, Tensor]:
    """Return the tensors by the network's own names: trainers put it into modules of theirs."""
    names = set(wanted)
    end = min(names)
    prefixes = {name.removesuffix(end) for name in state if name.endswith(end)}
    for prefix in sorted(prefixes, key=len):
        inside = {n.removeprefix(prefix): w for n, w in state.items() if n.startswith(prefix)}
        if names <= inside.keys():
            return inside
    return state
