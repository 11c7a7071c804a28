"""How fast each runtime was on this machine, kept in a file of the cache folder."""

import logging
import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from schemas.choices import InferenceRuntime

_PACKAGES = ("torch", "onnxruntime", "openvino")
_log = logging.getLogger(__name__)


class Measured(BaseModel):
    """What was measured of one network; images/s of each runtime."""

    images_per_second: dict[InferenceRuntime, float] = Field(min_length=1)

    @property
    def fastest(self) -> InferenceRuntime:
        """The runtime that did most."""
        return max(self.images_per_second, key=self.images_per_second.__getitem__)

    def __str__(self) -> str:
        ranked = sorted(self.images_per_second.items(), key=lambda item: -item[1])
        return ", ".join(f"{runtime} {rate:.1f}" for runtime, rate in ranked)


_Entries = TypeAdapter(dict[str, Measured])


class RuntimeMemory:
    """The file; what cannot be read counts as empty, what cannot be written is measured again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self, network: str) -> Measured | None:
        """Return what was measured of a network on this machine, with these packages."""
        return self._entries().get(_key(network))

    def keep(self, network: str, seen: Measured) -> None:
        """Remember what was measured."""
        entries = {**self._entries(), _key(network): seen}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self._path.parent, suffix=".partial")
            with os.fdopen(handle, "wb") as file:
                file.write(_Entries.dump_json(entries, indent=2))
            Path(partial).replace(self._path)
        except OSError as error:
            _log.warning("which runtime is fastest is measured at each start: %s", error)

    def _entries(self) -> dict[str, Measured]:
        try:
            return _Entries.validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return {}


def _key(network: str) -> str:
    """Name a network, the machine and all that the speed depends on."""
    return " · ".join((network, _machine(), *map(_release, _PACKAGES)))


def _machine() -> str:
    # A home that several machines share has one file for all of them.
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{platform.node()} {platform.machine()} {capability} {os.cpu_count()} cores"


def _release(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"
