"""How much of what chance gets wrong a figure gets right."""

import math

from workers.training.directions import ACCURACY, Figure


def skill(figure: Figure) -> float:
    """Return 1 where all is right and 0 for chance; NaN where chance gets nothing wrong."""
    best = 1.0 if figure.measure == ACCURACY else 0.0
    lost = best - figure.chance
    return (figure.value - figure.chance) / lost if lost else math.nan
