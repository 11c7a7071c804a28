"""Fits a conditioning to embeddings: weights of variables, clusters, thresholds, probabilities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lab.fit.outcomes import TrialOutcome, calibrate, expected, outcomes, typical
from lab.fit.report import ExpectedFpir
from recognition.background import Encoder
from recognition.calibration import Calibration, Reliability
from recognition.candidates import COUNTS, candidates
from recognition.findings import Saliency
from recognition.fit import FittedConditioning, Sample, fit
from recognition.saliency import MIN_PERMUTATIONS, rank, saliency
from recognition.variable import Variable
from schemas.errors import SetupError

MIN_WEIGHT = 1e-3


def measure_saliency(
    seen: Sample,
    held_out: Sample,
    variables: Sequence[Variable],
    on_step: Callable[[str], None],
) -> tuple[Saliency, ...]:
    """Measure what each variable does, in all images together.

    The gain of one alone is not measured: the race of the candidates does that for all.

    Raises:
        ValueError: the images do not differ in a variable.
    """
    embeddings = np.concatenate([seen.embeddings, held_out.embeddings])
    labels = [*seen.identities.tolist(), *held_out.identities.tolist()]
    backgrounds = [*seen.backgrounds, *held_out.backgrounds]
    findings = []
    for variable in variables:
        on_step(f"looking at {variable.name}")
        values = [background.get(variable.name) for background in backgrounds]
        findings.append(
            saliency(embeddings, labels, variable, values, permutations=MIN_PERMUTATIONS)
        )
    return tuple(findings)


def weight_of(finding: Saliency) -> float | None:
    """Return the share of the embeddings' variance that a variable explains beyond chance.

    One that only spreads them counts for what it shifts too, however little: shares of two
    different variances cannot be weighed against each other. None for a variable that does
    nothing, or of which that cannot be told: it has no part in the clusters.
    """
    if finding.shift is None or not finding.role.acts:
        return None
    return max(finding.shift.excess, MIN_WEIGHT)


def weighted(variables: Sequence[Variable], findings: Sequence[Saliency]) -> Encoder:
    """Return the encoder of the variables that act, each with its weight."""
    weights = {finding.variable: weight_of(finding) for finding in findings}
    return Encoder(
        tuple(
            replace(variable, weight=weight)
            for variable in variables
            if (weight := weights[variable.name]) is not None
        )
    )


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
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

    fitted: FittedConditioning
    weights: Mapping[str, float]
    saliency: Sequence[Saliency]
    calibration: Calibration | None
    reliability: Reliability | None
    expected: Sequence[ExpectedFpir]
    typical: TrialOutcome


def fit_conditioning(
    seen: Sample,
    held_out: Sample,
    variables: Sequence[Variable],
    fpir: float,
    on_step: Callable[[str], None] = lambda _: None,
) -> FitResult:
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
    findings = measure_saliency(seen, held_out, variables, on_step)
    encoder = weighted(variables, findings)
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
    return FitResult(
        fitted=fitted,
        weights={variable.name: variable.weight for variable in encoder.variables},
        saliency=rank(findings),
        calibration=calibration,
        reliability=reliability,
        expected=expected(tried, fpir, len(np.unique(held_out.identities))),
        typical=typical(tried, fpir),
    )


def steps(variables: Sequence[Variable]) -> int:
    """Return how many steps a fit has at most."""
    return len(variables) + len(list(candidates())) + 1
