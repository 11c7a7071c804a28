"""Names: of the space that embeddings are compared in, and of the clusters that were fitted."""

from recognition.cluster import UNCLUSTERED
from recognition.clusters import NOWHERE


def space_of(model: str, conditioning: str | None) -> str:
    """Return the name of the space of a model, under a conditioning of this version or plain."""
    return model if conditioning is None else f"{model}+{conditioning}"


def cluster_name(number: int) -> str:
    """Return the name of a fitted cluster by its number.

    >>> [cluster_name(number) for number in (0, 12, -1)]
    ['c0', 'c12', 'unclustered']
    """
    return UNCLUSTERED if number == NOWHERE else f"c{number}"


def cluster_number(name: str) -> int:
    """Return the number of a cluster that :func:`cluster_name` named."""
    return NOWHERE if name == UNCLUSTERED else int(name.removeprefix("c"))
