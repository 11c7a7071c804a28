"""Which runtime is taken, and what is remembered of it."""

import logging
from pathlib import Path

import pytest
from torch import Tensor

from schemas.choices import Device, InferenceRuntime, Precision
from schemas.errors import SetupError
from schemas.settings import load_settings
from tests.unit.tiny_models import write_tiny
from workers.model.model import EmbeddingModel, load_model
from workers.model.runtimes import choice, memory
from workers.model.runtimes.forward_pass import ForwardPass, TorchPass
from workers.model.runtimes.memory import Measured, RuntimeMemory
from workers.model.runtimes.onnx_runtime import OnnxRuntimePass

AUTO, TORCH, ONNX = InferenceRuntime.AUTO, InferenceRuntime.TORCH, InferenceRuntime.ONNXRUNTIME


class Clock:
    """Measures runtimes as told, and notes which were measured."""

    def __init__(self) -> None:
        self.rates = {ONNX: 30.0}
        self.measured: list[InferenceRuntime] = []

    def __call__(self, forward: ForwardPass, _: Tensor) -> float:
        self.measured.append(forward.runtime)
        return self.rates.get(forward.runtime, 1.0)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """How fast each runtime is taken to be."""
    told = Clock()
    monkeypatch.setattr(choice, "images_per_second", told)
    return told


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A tiny model's folder; what is kept of it lies beside."""
    return write_tiny(tmp_path / "model")


def load(
    folder: Path,
    runtime: InferenceRuntime = AUTO,
    *,
    cache: Path | None = None,
    precision: Precision = Precision.FLOAT32,
    measure: bool = False,
) -> EmbeddingModel:
    """Load a model as the settings say."""
    settings = load_settings().model_copy(
        update={
            "model": folder,
            "device": Device.CPU,
            "runtime": runtime,
            "precision": precision,
            "cache": folder.parent / "cache" if cache is None else cache,
        }
    )
    return load_model(settings, measure=measure)


def test_the_fastest_is_measured_once_and_remembered(model: Path, clock: Clock) -> None:
    loaded = load(model)
    assert loaded.runtime is ONNX
    assert loaded.measured is not None
    assert loaded.measured.images_per_second[ONNX] == 30
    assert set(clock.measured) == {TORCH, ONNX, InferenceRuntime.OPENVINO}
    clock.measured.clear()
    assert load(model).runtime is ONNX
    assert clock.measured == []


def test_another_machine_or_model_measures_for_itself(
    model: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    load(model)
    clock.measured.clear()
    clock.rates = {TORCH: 50.0}
    monkeypatch.setattr(memory, "_machine", lambda: "another")
    assert load(model).runtime is TORCH
    assert clock.measured
    monkeypatch.undo()
    monkeypatch.setattr(choice, "images_per_second", clock)
    assert load(model).runtime is ONNX, "what is known of this machine is still there"
    assert load(write_tiny(tmp_path / "b", seed=1), cache=tmp_path / "cache").runtime is TORCH


def test_measuring_anew_replaces_what_is_remembered(model: Path, clock: Clock) -> None:
    load(model)
    clock.rates = {TORCH: 50.0}
    assert load(model).runtime is ONNX
    assert load(model, measure=True).runtime is TORCH
    assert load(model).runtime is TORCH


def test_what_is_named_is_taken_without_measuring(model: Path, clock: Clock) -> None:
    assert load(model, ONNX).runtime is ONNX
    assert load(model, TORCH).runtime is TORCH
    assert clock.measured == []


def test_one_with_other_vectors_is_left_out(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    honest = OnnxRuntimePass.__call__
    monkeypatch.setattr(OnnxRuntimePass, "__call__", lambda p, x: honest(p, x).flip(0))
    with caplog.at_level(logging.WARNING):
        assert load(model).runtime is not ONNX
    assert "onnxruntime is left out" in caplog.text
    assert "its vectors are not torch's" in caplog.text
    with pytest.raises(SetupError, match="PERENNIAL_RUNTIME=onnxruntime: its vectors are not"):
        load(model, ONNX)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda vectors: vectors * float("nan"), "cosine nan"),
        (lambda vectors: vectors[:, 1:], r"gives \(8, 7\), torch \(8, 8\)"),
    ],
)
def test_no_vectors_are_no_vectors_of_torch(
    model: Path, monkeypatch: pytest.MonkeyPatch, answer: object, why: str
) -> None:
    honest = OnnxRuntimePass.__call__
    monkeypatch.setattr(OnnxRuntimePass, "__call__", lambda p, x: answer(honest(p, x)))  # type: ignore[operator]
    with pytest.raises(SetupError, match=why):
        load(model, ONNX)


def test_one_that_was_fastest_and_no_longer_fits_gives_way(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert load(model).runtime is ONNX
    honest = OnnxRuntimePass.__call__
    monkeypatch.setattr(OnnxRuntimePass, "__call__", lambda p, x: honest(p, x).flip(0))
    assert load(model).runtime is TORCH
    assert "onnxruntime is left out" in caplog.text


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_damaged_or_foreign_file_is_written_anew(model: Path, content: bytes) -> None:
    load(model)
    (exported,) = (model.parent / "cache").glob("*.onnx")
    sound = exported.stat().st_size
    exported.write_bytes(content)
    assert load(model).runtime is ONNX
    assert exported.stat().st_size == sound


def test_a_file_of_another_network_is_written_anew(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load(write_tiny(tmp_path / "b", seed=1))
    (other,) = cache.glob("*.onnx")
    theirs = other.read_bytes()
    load(model)
    (mine,) = set(cache.glob("*.onnx")) - {other}
    mine.write_bytes(theirs)
    assert load(model).runtime is ONNX
    assert mine.read_bytes() != theirs


@pytest.mark.parametrize("content", ["", "{", '{"x": 1}', '{"x": {"images_per_second": {}}}'])
def test_a_damaged_memory_counts_as_none(model: Path, content: str) -> None:
    path = model.parent / "cache" / "runtimes.json"
    path.parent.mkdir()
    path.write_text(content)
    assert load(model).runtime is ONNX
    assert RuntimeMemory(path).recall("nobody") is None


def test_without_a_cache_torch_goes_on(
    model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        assert load(model, cache=tmp_path / "file").runtime is TORCH
    assert "measured at each start" in caplog.text


def test_without_a_home_torch_goes_on(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A container whose user has no name has no home either."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("posixpath.expanduser", lambda path: path)  # as where nobody is known
    with caplog.at_level(logging.WARNING):
        assert load(model, cache=Path("~/.cache/perennial")).runtime is TORCH
    assert "Name a folder" in caplog.text
    with pytest.raises(SetupError, match="Name a folder for PERENNIAL_RUNTIME"):
        load(model, ONNX, cache=Path("~/.cache/perennial"))


def test_a_model_that_gives_nan_for_the_sample_is_left_to_torch(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    honest = TorchPass.__call__
    monkeypatch.setattr(
        TorchPass, "__call__", lambda p, x: honest(p, x) * (float("nan") if len(x) > 1 else 1)
    )
    with caplog.at_level(logging.WARNING):
        assert load(model).runtime is TORCH
    assert "onnxruntime is left out" in caplog.text


def test_what_is_not_installed_is_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(choice, "import_module", missing)
    with pytest.raises(SetupError, match="PERENNIAL_RUNTIME=openvino: not installed"):
        load(model, InferenceRuntime.OPENVINO)


def test_other_arithmetic_is_torchs_and_another_version(model: Path) -> None:
    half = load(model, precision=Precision.BFLOAT16)
    assert half.runtime is TORCH
    assert half.version == load(model).version + "+bfloat16"
    with pytest.raises(SetupError, match="bfloat16 on cpu is torch's"):
        load(model, ONNX, precision=Precision.BFLOAT16)


def test_a_measurement_tells_the_fastest_first() -> None:
    seen = Measured(images_per_second={TORCH: 7.25, ONNX: 30})
    assert seen.fastest is ONNX
    assert str(seen) == "onnxruntime 30.0, torch 7.2"


def test_images_per_second_counts_images(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    loaded = load(model, TORCH)
    passes: list[int] = []
    clock = iter([0.0, 0.5, 0.9, 2.0])
    monkeypatch.setattr("workers.model.runtimes.choice.time.perf_counter", lambda: next(clock))

    class Counting(TorchPass):
        def __call__(self, images: Tensor) -> Tensor:
            passes.append(len(images))
            return images

    counting = Counting(loaded._network)
    assert choice.images_per_second(counting, Tensor(4, 3, 2, 2)) == 2 * 4 / 2.0
    assert passes == [4, 4, 4]
