"""A run that is cut short anywhere, and gone on with."""

import json
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training_runs import logged, run, weights
from workers.training import loop
from workers.training.board import TensorBoard
from workers.training.run_folder import TrainingFolder

pytestmark = pytest.mark.usefixtures("event_files_in_order")


class Killed(BaseException):
    """Stands for the power cut; tests/services kills a real process."""


CUT: dict[str, Any] = {
    "steps": 7,
    "evaluate_every": 3,
    "loss": "multi-similarity+0.1*arcface",
    "predict": ["season"],
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    run(out, **CUT)
    return out


def killed(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, step: int) -> None:
    """Cut the run in the call that belongs to a step, before it does anything."""
    act: Callable[..., Any] = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        told = [a.get("step") if isinstance(a, dict) else a for a in arguments]
        if step in told:
            raise Killed
        return act(*arguments, **named)

    monkeypatch.setattr(owner, name, call)


@pytest.mark.parametrize(
    ("where", "step"),
    [
        *product(["add_metrics", "scalars", "after"], [1, 3, 4, 6, 7]),
        *product(["_save"], [3, 6, 7]),
    ],
)
def test_a_run_that_is_cut_goes_on_as_if_nothing_had_been(
    where: str, step: int, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_step: Callable[..., None] | None = None
    with monkeypatch.context() as patched:
        if where == "after":

            def on_step(done: int, _figures: Mapping[str, float]) -> None:
                if done == step:
                    raise Killed
        else:
            owners = {"scalars": TensorBoard, "add_metrics": TrainingFolder}
            killed(patched, owners.get(where, loop), where, step)
        with pytest.raises(Killed):
            run(tmp_path, on_step, **CUT)
    assert not (tmp_path / "model").exists()
    run(tmp_path, **CUT)
    assert weights(tmp_path) == weights(whole)
    lines = (tmp_path / "metrics.jsonl").read_bytes()
    assert lines == (whole / "metrics.jsonl").read_bytes()
    assert [json.loads(line)["step"] for line in lines.splitlines()] == [1, 2, 3, 4, 5, 6, 7]
    assert logged(tmp_path) == [1, 2, 3, 4, 5, 6, 7]
    assert (tmp_path / "model" / "model.json").read_bytes() == (
        whole / "model" / "model.json"
    ).read_bytes()
