"""Which weights are kept: those that recognise the calibrate part's identities best."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.trials import resampled_tpir
from schemas.errors import SetupError
from workers.training.data import Samples

FPIR = 0.05


def calibrate_tpir(embeddings: NDArray[np.float32], samples: Samples) -> float:
    """Return the mean TPIR at FPIR 5 % over random trials among the calibrate identities.

    Raises:
        SetupError: embeddings that are not finite, or too few identities to draw trials of.
    """
    if not np.isfinite(embeddings).all():
        raise SetupError(
            "the weights have diverged: the network gives no finite embeddings of the calibrate "
            "part; lower backbone_rate and head_rate, or clip"
        )
    try:
        return resampled_tpir(embeddings, samples.labels, fpir=FPIR, sessions=samples.sessions)
    except ValueError as error:
        raise SetupError(f"calibrate part: {error}") from error


@dataclass
class Best:
    """The best evaluation on the calibrate part so far.

    Attributes:
        tpir: what it showed; -1 before the first.
        step: after how many steps it was.
        worse: how many evaluations since then.
    """

    tpir: float = -1.0
    step: int = 0
    worse: int = 0

    def better(self, tpir: float, step: int) -> bool:
        """Record an evaluation; return whether it is the best so far."""
        if tpir > self.tpir:
            self.tpir, self.step, self.worse = tpir, step, 0
            return True
        self.worse += 1
        return False
