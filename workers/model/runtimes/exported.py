"""A network as an ONNX file, which other runtimes read."""

import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor

from workers.model.runtimes.forward_pass import UnitNetwork

_OPSET = 18


class Exported:
    """The file of one network: written when it is asked for, and kept for the next start.

    Args:
        network: on the processor, in float32.
        sample: (n, 3, h, w) images of the type that it will be given; n may be another then.
        path: where the file is kept.
    """

    def __init__(self, network: UnitNetwork, sample: Tensor, path: Path) -> None:
        self._network, self._sample, self._path = network, sample, path
        self._before = path.exists()

    def file(self) -> Path:
        """Return the file; it is replaced at once or not at all.

        Raises:
            OSError: it cannot be written.
            Exception: whatever the exporter raises for an operator that it does not know.
        """
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._path.parent) as folder:
                partial = Path(folder) / self._path.name
                self._write(partial)
                partial.replace(self._path)
        return self._path

    def forget(self) -> bool:
        """Remove the file where it is of an earlier start; return whether it was."""
        before, self._before = self._before, False
        if before:
            self._path.unlink(missing_ok=True)
        return before

    def _write(self, path: Path) -> None:
        with warnings.catch_warnings():
            # It tells of its successor, which needs another package and takes four times as long.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                self._network,
                (self._sample.permute(0, 2, 3, 1),),
                path,
                dynamo=False,
                opset_version=_OPSET,
                input_names=["images"],
                output_names=["embeddings"],
                dynamic_axes={"images": {0: "n"}, "embeddings": {0: "n"}},
            )
