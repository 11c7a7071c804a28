"""The training loop, top to bottom."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from schemas.errors import SetupError
from workers.training.board import TensorBoard, draw_curves
from workers.training.config import TrainingConfig
from workers.training.data import Best, TrainingData, calibrate_tpir
from workers.training.finish import finish
from workers.training.learner import Learner
from workers.training.run_folder import TrainingFolder, load_checkpoint, save_checkpoint

OnStep = Callable[[int, Mapping[str, float]], None]
History = list[dict[str, float]]


def train(
    config: TrainingConfig,
    data: TrainingData,
    out: Path,
    device: torch.device,
    on_step: OnStep | None = None,
) -> Path:
    """Train a model and write its folder; go on where a run in ``out`` was interrupted.

    Args:
        data: the images, which a resumed run must be given again.
        device: where to compute. Runs on the CPU repeat exactly under their seed.

    Returns:
        The model folder.

    Raises:
        SetupError: settings that do not fit the data, or a run with other settings in ``out``.
    """
    folder = TrainingFolder(out)
    resumed = folder.open(config)
    learner = Learner(config, data.train, device)
    folder.begin(config)
    best, kept = Best(), learner.weights()
    start, history = 0, History()
    if resumed:
        start, best, kept, history = _resume(folder, learner)
    else:
        best.better(calibrate_tpir(learner.embed(data.calibrate.images), data.calibrate), 0)
    folder.begin_metrics(history)
    with TensorBoard(folder.board, after=start if folder.board.exists() else None) as board:
        for number in range(start, config.steps):
            if best.worse >= config.patience:
                break
            done = number + 1
            figures = learner.step(number)
            evaluated = done % config.evaluate_every == 0 or done == config.steps
            if evaluated:
                tpir = calibrate_tpir(learner.embed(data.calibrate.images), data.calibrate)
                figures["calibrate_tpir"] = tpir
                if best.better(tpir, done):
                    kept = learner.weights()
            history.append({"step": done, **figures})
            folder.add_metrics(history[-1])
            board.scalars(done, figures)
            if evaluated:  # last, so that a checkpoint never knows of a step that the logs lack
                _save(folder, learner, done, best, kept, history)
            if on_step is not None:
                on_step(done, figures)
        draw_curves(history, folder.curves)
        return finish(learner, kept, best, data, folder, board)


def _save(
    folder: TrainingFolder,
    learner: Learner,
    step: int,
    best: Best,
    kept: dict[str, Tensor],
    history: History,
) -> None:
    state = {"step": step, "best": asdict(best), "kept": kept, "learner": learner.state()}
    save_checkpoint(folder.checkpoint, {**state, "history": history})


def _resume(
    folder: TrainingFolder, learner: Learner
) -> tuple[int, Best, dict[str, Tensor], History]:
    # To the processor, where the kept weights belong; the learner moves its own to its device.
    state = load_checkpoint(folder.checkpoint, torch.device("cpu"))
    try:
        learner.load_state(state["learner"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise SetupError(
            f"checkpoint {folder.checkpoint} is not of these images and settings: {error}"
        ) from error
    # A checkpoint of an earlier version has no history: then its curves begin here.
    history = state.get("history", [])
    return state["step"], Best(**state["best"]), state["kept"], history
