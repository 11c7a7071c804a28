"""Which runtime computes the forward pass: what is asked for, or what is fastest on this machine.

None may change the model: a runtime whose vectors are not torch's is not taken, so that workers on
different machines write into one gallery.
"""

import logging
import time
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import Tensor

from schemas.choices import InferenceRuntime
from schemas.errors import SetupError
from workers.model.runtimes.exported import Exported
from workers.model.runtimes.forward_pass import CompiledPass, ForwardPass, TorchPass, UnitNetwork
from workers.model.runtimes.memory import Measured, RuntimeMemory
from workers.model.runtimes.workplace import Workplace

MIN_COSINE = 0.9999
MAX_DIFFERENCE = 1e-3
"""How far vectors may lie from torch's, in any of their numbers."""

_MEASURED_S = 1.0
_READS_ONNX = {  # the package that it needs, and our module
    InferenceRuntime.ONNXRUNTIME: ("onnxruntime", "workers.model.runtimes.onnx_runtime"),
    InferenceRuntime.OPENVINO: ("openvino", "workers.model.runtimes.open_vino"),
}
_log = logging.getLogger(__name__)


class _Unfit(Exception):
    """A runtime cannot take this network, or computes other vectors."""


class RuntimeChoice:
    """The runtimes of one network."""

    def __init__(self, network: UnitNetwork, place: Workplace) -> None:
        self._network = network
        self._place = place
        self._memory = RuntimeMemory(place.cache / "runtimes.json")
        self._reference = TorchPass(network)
        self._sample = place.sample()
        kind = "float32" if place.floating else "uint8"
        self._name = f"{place.version}-{kind}"
        self._exported = Exported(network, self._sample, place.cache / f"{self._name}.onnx")

    def choose(self, wanted: InferenceRuntime) -> ForwardPass:
        """Return the pass that is asked for; ``auto`` measures once, and remembers.

        Raises:
            SetupError: the runtime that is named is not installed, or does not fit the model.
        """
        if wanted is InferenceRuntime.AUTO:
            return self._fastest()
        try:
            return self._fitting(wanted)
        except _Unfit as error:
            raise SetupError(f"PERENNIAL_RUNTIME={wanted}: {error}; auto takes what fits") from None

    def recall(self) -> Measured | None:
        """Return what was measured of this network on this machine, if it was."""
        return self._memory.recall(self._key)

    def measure(self) -> None:
        """Measure every runtime that there is, torch's compiler too, and remember."""
        compiled = [InferenceRuntime.COMPILE] if self._network.exportable else []
        self._measure([*self._installed(), *compiled])

    def _fastest(self) -> ForwardPass:
        if not self._network.exportable:
            return self._reference
        known = self.recall()
        if known is None:
            # Torch's compiler takes a minute: it is measured when somebody asks for it.
            return self._measure(self._installed())
        try:
            return self._fitting(known.fastest)
        except _Unfit as error:
            self._leave_out(known.fastest, error)
            return self._reference

    def _measure(self, runtimes: list[InferenceRuntime]) -> ForwardPass:
        passes: dict[InferenceRuntime, ForwardPass] = {}
        for runtime in runtimes:
            try:
                passes[runtime] = self._fitting(runtime)
            except _Unfit as error:
                self._leave_out(runtime, error)
        rates = {name: images_per_second(each, self._sample) for name, each in passes.items()}
        seen = Measured(images_per_second=rates)
        self._memory.keep(self._key, seen)
        _log.info("images/s here: %s", seen)
        return passes[seen.fastest]

    def _leave_out(self, runtime: InferenceRuntime, error: _Unfit) -> None:
        _log.warning("runtime %s is left out for %s: %s", runtime, self._name, error)

    def _installed(self) -> list[InferenceRuntime]:
        if not self._network.exportable:
            return [InferenceRuntime.TORCH]
        others = [kind for kind, (package, _) in _READS_ONNX.items() if find_spec(package)]
        return [InferenceRuntime.TORCH, *others]

    @property
    def _key(self) -> str:
        return f"{self._name} {self._place.passes}x{self._place.threads} threads"

    def _fitting(self, runtime: InferenceRuntime) -> ForwardPass:
        try:
            return self._checked(runtime)
        except _Unfit:
            if runtime not in _READS_ONNX or not self._exported.forget():
                raise
            return self._checked(runtime)  # the file was of an older release, or damaged

    def _checked(self, runtime: InferenceRuntime) -> ForwardPass:
        if runtime is InferenceRuntime.TORCH:
            return self._reference
        if not self._network.exportable:
            raise _Unfit("a part of it is an ONNX file already, which ONNX Runtime computes")
        try:
            expected = self._expected
            candidate = self._build(runtime)
            with torch.inference_mode():
                vectors = candidate(self._sample)
        except ImportError as error:
            raise _Unfit(f"not installed ({error})") from error
        except Exception as error:  # whatever a runtime raises, torch goes on
            raise _Unfit(f"{type(error).__name__}: {error}") from error
        _compare(vectors, expected)
        return candidate

    def _build(self, runtime: InferenceRuntime) -> ForwardPass:
        if runtime in _READS_ONNX:
            module = import_module(_READS_ONNX[runtime][1])
            build: Callable[..., ForwardPass] = module.build
            return build(self._exported.file(), self._place.threads, self._place.passes)
        return CompiledPass(self._network)

    @cached_property
    def _expected(self) -> Tensor:
        """Torch's vectors of the sample, which all others are held against."""
        with torch.inference_mode():
            return self._reference(self._sample)


def images_per_second(forward: ForwardPass, images: Tensor) -> float:
    """Measure how many images a pass embeds in a second, on this thread; the first is not counted.

    Args:
        forward: the pass.
        images: (n, 3, h, w), given to it again and again.
    """
    with torch.inference_mode():
        forward(images)
        began, passes = time.perf_counter(), 0
        while (took := time.perf_counter() - began) < _MEASURED_S:
            forward(images)
            passes += 1
    return passes * len(images) / took


def _compare(vectors: Tensor, expected: Tensor) -> None:
    if vectors.shape != expected.shape:
        raise _Unfit(f"gives {tuple(vectors.shape)}, torch {tuple(expected.shape)}")
    cosine = float((vectors * expected).sum(dim=1).min())
    difference = float((vectors - expected).abs().max())
    # Written so that NaN is refused too.
    if not (cosine >= MIN_COSINE and difference <= MAX_DIFFERENCE):
        raise _Unfit(
            f"its vectors are not torch's: cosine {cosine:.6f}, largest difference {difference:.2g}"
        )
