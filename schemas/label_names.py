"""Names in metrics that come from outside: so many of them, and no more."""

OTHER = "other"
"""Stands for every name beyond the limit."""

_MAX_LENGTH = 100


class LabelNames:
    """Lets the first names through, and calls all later ones :data:`OTHER`.

    Prometheus keeps a series for each name for ever, and whoever publishes can make up names.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        """Return the name that a metric may have."""
        if name in self._known:
            return name
        if len(self._known) >= self._most or len(name) > _MAX_LENGTH:
            return OTHER
        self._known.add(name)
        return name
