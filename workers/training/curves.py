"""A picture of a training run: loss, learning rate and calibrate TPIR over the steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

LOSS, LEARNING_RATE, TPIR = "loss", "learning_rate", "calibrate_tpir"
_SMOOTHING = 0.9  # share of the running mean that each step keeps
_DOTS_PER_INCH = 120


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw a PNG with one panel for each figure of a run.

    Args:
        history: the figures of each step; an entry may lack any figure but its ``step``.
        path: the PNG to write.
    """
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)  # no display, no global state of pyplot
    loss, rate, tpir = figure.subplots(1, 3)
    _draw_loss(loss, *_series(history, LOSS))
    rate.plot(*_series(history, LEARNING_RATE), color="tab:green")
    rate.set_title("learning rate")
    _draw_tpir(tpir, *_series(history, TPIR))
    for axes in (loss, rate, tpir):
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
    figure.savefig(path, format="png", dpi=_DOTS_PER_INCH)


def _series(history: Sequence[Mapping[str, float]], name: str) -> tuple[list[float], list[float]]:
    """Return the steps at which a figure was logged, and its values there."""
    logged = [figures for figures in history if name in figures]
    return [figures["step"] for figures in logged], [figures[name] for figures in logged]


def _draw_loss(axes: Axes, steps: Sequence[float], losses: Sequence[float]) -> None:
    """Every value pale, their running mean strong."""
    axes.plot(steps, losses, color="tab:blue", alpha=0.3)
    axes.plot(steps, _running_mean(losses), color="tab:blue")
    axes.set_title("loss")


def _draw_tpir(axes: Axes, steps: Sequence[float], shares: Sequence[float]) -> None:
    """The curve that the checkpoint is chosen by, with its best point named."""
    axes.plot(steps, shares, color="tab:orange", marker=".")
    axes.set_title("TPIR on calibrate")
    axes.set_ylim(0, 1)
    if np.isfinite(shares).any():
        best = int(np.nanargmax(shares))
        axes.axvline(steps[best], color="grey", linestyle=":")
        axes.set_title(f"TPIR on calibrate, best {shares[best]:.3f} at step {steps[best]:.0f}")


def _running_mean(values: Sequence[float]) -> list[float]:
    """Exponential mean that passes over what is not finite."""
    means: list[float] = []
    mean = np.nan
    for value in values:
        if np.isfinite(value):
            mean = value if np.isnan(mean) else _SMOOTHING * mean + (1 - _SMOOTHING) * value
        means.append(mean)
    return means
