"""Fitting a conditioning to embeddings: from what matters to thresholds that can be trusted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lab.fit.calibrating import calibrate
from lab.fit.expected import Expected, expected, typical
from lab.fit.outcomes import Outcome, outcomes
from lab.fit.weights import look, weighted
from recognition.calibration import Calibration
from recognition.candidates import COUNTS, candidates
from recognition.findings import Saliency
from recognition.fit import Fitted, Sample, fit
from recognition.reliability import Reliability
from recognition.saliency import rank
from recognition.variable import Variable
from schemas.errors import SetupError


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A conditioning, and what is known of it.

    Attributes:
        fitted: the conditioning that won, and the race.
        weights: of the variables that have a part in the clusters, by name.
        saliency: of every variable, those that matter most first.
        calibration: from distances to probabilities; None where no threshold lies above 0.
        reliability: of such a map for identities that it was not fitted to; None likewise.
        expected: the FPIR to be expected where one is asked for, ascending.
        typical: the gallery with the median threshold among those it was tried on.
    """

    fitted: Fitted
    weights: Mapping[str, float]
    saliency: Sequence[Saliency]
    calibration: Calibration | None
    reliability: Reliability | None
    expected: Sequence[Expected]
    typical: Outcome


def fit_conditioning(
    seen: Sample,
    held_out: Sample,
    variables: Sequence[Variable],
    fpir: float,
    on_step: Callable[[str], None] = lambda _: None,
) -> Made:
    """Fit a conditioning to embeddings; ``on_step`` hears what comes next.

    Args:
        seen: what it is made from.
        held_out: images of other identities, which choose between the candidates, play the
            strangers that set the thresholds, and calibrate the probabilities.
        variables: fitted to the backgrounds of both; those that do nothing are left out.
        fpir: the share of strangers' images that may be accepted.
        on_step: called up to :func:`steps` times.

    Raises:
        ValueError: not 0 < fpir < 1, or the held-out identities are too few for a trial.
        SetupError: the model tells none of their images apart.
    """
    if not 0 < fpir < 1:
        raise ValueError(f"fpir must lie between 0 and 1, got {fpir}")
    found = look(seen, held_out, variables, on_step)
    encoder = weighted(variables, found)
    fitted = fit(
        encoder,
        seen,
        held_out,
        counts=COUNTS if encoder.variables else (1,),
        on_candidate=lambda candidate: on_step(str(candidate)),
    )
    on_step("thresholds and probabilities")
    tried = outcomes(fitted.conditioning, held_out)
    if not tried:
        raise SetupError(
            "the held-out images are all equally far from each other: the model tells nothing of "
            "them; train it, or give another with --model"
        )
    calibrated = calibrate(tried, fpir, len(held_out.identities))
    calibration, reliability = (None, None) if calibrated is None else calibrated
    return Made(
        fitted=fitted,
        weights={variable.name: variable.weight for variable in encoder.variables},
        saliency=rank(found),
        calibration=calibration,
        reliability=reliability,
        expected=expected(tried, fpir, len(np.unique(held_out.identities))),
        typical=typical(tried, fpir),
    )


def steps(variables: Sequence[Variable]) -> int:
    """Return how many steps a fit has at most."""
    return len(variables) + len(list(candidates())) + 1
