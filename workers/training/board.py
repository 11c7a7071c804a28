"""How a run went: what TensorBoard shows of it (curves, the embedding projector), and a picture."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

PROJECTOR = "projector"
_MAX_SHOWN = 2000  # the browser holds them all
_SIDE = 64  # of a thumbnail; 45 × 45 of them make 2,880 px, and the projector reads up to 8,192
LOSS, LEARNING_RATE, TPIR = "loss", "learning_rate", "calibrate_tpir"
_SMOOTHING = 0.9  # share of the running mean that each step keeps
_DOTS_PER_INCH = 120


class TensorBoard(SummaryWriter):
    """A log folder for ``tensorboard --logdir``; a context manager.

    Everything is on disk when a call returns, so that a killed process loses nothing that its
    checkpoint has.
    """

    def __init__(self, folder: Path, *, after: int | None = None) -> None:
        """Open the folder.

        Args:
            folder: made if it is not there.
            after: the run goes on from this step: what was logged later is dropped, and the steps
                appear once. None for a new run.
        """
        super().__init__(str(folder), purge_step=None if after is None else after + 1)
        self._folder = folder
        self.flush()

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Log the figures of one step; a slash in a name groups panels."""
        for name, value in figures.items():
            self.add_scalar(name, value, step)
        self.flush()

    def projector(
        self,
        step: int,
        embeddings: NDArray[np.float32],
        images: NDArray[np.uint8],
        metadata: Mapping[str, Sequence[str]],
    ) -> None:
        """Show embeddings with thumbnails and background variables, in place of any before.

        Where there are more than 2,000 images, that many are taken at even distances.

        Args:
            embeddings: (n, d), finite.
            images: (n, h, w, 3) RGB.
            metadata: for each variable n values, by which points can be coloured and searched.

        Raises:
            ValueError: lengths that differ, no images, no variables, or embeddings that are not
                finite.
        """
        count = len(images)
        lengths = {len(embeddings), *map(len, metadata.values())}
        if not metadata or not count or lengths != {count}:
            raise ValueError(f"{count} images, but {sorted(lengths)} embeddings and values")
        if not np.isfinite(embeddings).all():
            raise ValueError(f"embeddings of step {step} are not finite")
        shown = np.linspace(0, count - 1, min(count, _MAX_SHOWN)).round().astype(np.intp)
        columns = [[_cell(values[row]) for row in shown] for values in metadata.values()]
        several = len(columns) > 1  # else the projector takes no line for names
        for earlier in self._folder.glob(f"*/{PROJECTOR}"):
            shutil.rmtree(earlier.parent)
        self.add_embedding(
            embeddings[shown].astype(np.float64).round(9),  # as short as TensorBoard writes numbers
            metadata=[list(row) for row in zip(*columns, strict=True)] if several else columns[0],
            metadata_header=list(metadata) if several else None,
            label_img=_thumbnails(images[shown]),
            global_step=step,
            tag=PROJECTOR,
        )


def _cell(text: str) -> str:
    """Without what would end the cell, and never empty: the projector passes over empty lines."""
    return " ".join(text.split()) or "-"


def _thumbnails(images: NDArray[np.uint8]) -> torch.Tensor:
    """Each image in the middle of a square, as large as it fits: (n, 3, side, side) of 0..1."""
    squares = np.zeros((len(images), _SIDE, _SIDE, 3), np.float32)
    height, width = (max(1, round(s * _SIDE / max(images.shape[1:3]))) for s in images.shape[1:3])
    top, left = (_SIDE - height) // 2, (_SIDE - width) // 2
    for square, image in zip(squares, images, strict=True):
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        square[top : top + height, left : left + width] = small
    # TensorBoard cuts off what follows the point; the middle of a grey level survives that.
    return torch.from_numpy((squares + 0.5) / 255).permute(0, 3, 1, 2)


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw a PNG with one panel for each figure of a run.

    Args:
        history: the figures of each step; an entry may lack any figure but its ``step``.
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
