"""Checkpoints: whole or not there, and never code."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.errors import SetupError
from tests.unit.training_samples import CPU
from workers.training.run_folder import load_checkpoint, save_checkpoint


class _Malice:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._trace),)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.pt"


def test_what_was_saved_is_loaded(path: Path) -> None:
    state = {"step": 3, "best": {"tpir": 0.5}, "kept": {"w": torch.arange(3.0)}}
    save_checkpoint(path, state)
    loaded = load_checkpoint(path, CPU)
    assert (loaded["step"], loaded["best"]) == (3, {"tpir": 0.5})
    torch.testing.assert_close(loaded["kept"]["w"], torch.arange(3.0), rtol=0, atol=0)
    assert [each.name for each in path.parent.iterdir()] == ["checkpoint.pt"]


def test_a_torn_write_is_no_checkpoint(path: Path) -> None:
    save_checkpoint(path, {"step": 1})
    path.with_suffix(".new").write_bytes(path.read_bytes()[:100])
    assert load_checkpoint(path, CPU) == {"step": 1}
    save_checkpoint(path, {"step": 2})
    assert load_checkpoint(path, CPU) == {"step": 2}


def test_a_write_that_fails_leaves_the_old_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(path, {"step": 1})

    def full(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, {"step": 2})
    assert load_checkpoint(path, CPU) == {"step": 1}


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text"])
def test_a_damaged_file_is_named(path: Path, damage: str) -> None:
    save_checkpoint(path, {"weights": torch.zeros(1000)})
    match damage:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(path.read_bytes()[:-200])
        case "text":
            path.write_text("a checkpoint")
    with pytest.raises(SetupError, match=r"checkpoint\.pt"):
        load_checkpoint(path, CPU)


@pytest.mark.parametrize("saver", ["pickle", "torch"])
def test_code_in_it_is_not_run(path: Path, saver: str) -> None:
    trace = path.parent / "malice"
    state = {"step": _Malice(trace)}
    if saver == "pickle":
        path.write_bytes(pickle.dumps(state))
    else:
        torch.save(state, path)
    with pytest.raises(SetupError, match=r"checkpoint\.pt"):
        load_checkpoint(path, CPU)
    assert not trace.exists()
    with path.open("rb") as file:  # the trap itself works
        torch.load(file, weights_only=False) if saver == "torch" else pickle.load(file)
    assert trace.exists()
