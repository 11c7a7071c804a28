"""What TensorBoard shows of a run: curves, and the embedding projector."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from workers.training.projector import drop_later, write_projector


class Board:
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
        self._folder = folder
        self._writer = SummaryWriter(str(folder), purge_step=None if after is None else after + 1)
        self._writer.flush()
        if after is not None:
            drop_later(folder, after)

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Log the figures of one step; a slash in a name groups panels."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def projector(
        self,
        step: int,
        embeddings: NDArray[np.float32],
        images: NDArray[np.uint8],
        metadata: Mapping[str, Sequence[str]],
    ) -> None:
        """Log embeddings with thumbnails and background variables: see ``write_projector``."""
        write_projector(self._folder, step, embeddings, images, metadata)
