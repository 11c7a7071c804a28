"""What TensorBoard shows of a run: curves, and the embedding projector."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

PROJECTOR = "projector"
_MAX_SHOWN = 2000  # the browser holds them all
_SIDE = 64  # of a thumbnail; 45 × 45 of them make 2,880 px, and the projector reads up to 8,192


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
            step: part of the name of the embedding.
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
