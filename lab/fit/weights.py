"""How much each background variable counts: what it does to the embeddings of one identity."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from recognition.background import Encoder
from recognition.findings import Saliency
from recognition.fit import Sample
from recognition.saliency import FEWEST_PERMUTATIONS, saliency
from recognition.variable import Variable

LEAST_WEIGHT = 1e-3


def look(
    seen: Sample,
    held_out: Sample,
    variables: Sequence[Variable],
    on_step: Callable[[str], None],
) -> tuple[Saliency, ...]:
    """Look at each variable, in all images together.

    The gain of one alone is not measured: the race of the candidates does that for all.

    Raises:
        ValueError: the images do not differ in a variable.
    """
    embeddings = np.concatenate([seen.embeddings, held_out.embeddings])
    labels = [*seen.identities.tolist(), *held_out.identities.tolist()]
    backgrounds = [*seen.backgrounds, *held_out.backgrounds]
    found = []
    for variable in variables:
        on_step(f"looking at {variable.name}")
        values = [background.get(variable.name) for background in backgrounds]
        found.append(
            saliency(embeddings, labels, variable, values, permutations=FEWEST_PERMUTATIONS)
        )
    return tuple(found)


def weight_of(found: Saliency) -> float | None:
    """Return the share of the embeddings' variance that a variable explains beyond chance.

    One that only spreads them counts for what it shifts too, however little: shares of two
    different variances cannot be weighed against each other. None for a variable that does
    nothing, or of which that cannot be told: it has no part in the clusters.
    """
    if found.shift is None or not found.role.acts:
        return None
    return max(found.shift.excess, LEAST_WEIGHT)


def weighted(variables: Sequence[Variable], found: Sequence[Saliency]) -> Encoder:
    """Return the encoder of the variables that act, each with its weight."""
    weights = {one.variable: weight_of(one) for one in found}
    return Encoder(
        tuple(
            replace(variable, weight=weight)
            for variable in variables
            if (weight := weights[variable.name]) is not None
        )
    )
