"""How many images a forward pass should take, learnt from how long passes take."""

_TRIES = 4
"""Full passes of a size of which the quickest counts: others may have been held up."""

_WORTH = 0.98
"""Seconds an image, over those of the best size so far, below which a larger size is better."""

_IN_VAIN = 2
"""Doublings in a row without a gain that end the search: one may have met with other work."""


class BestBatch:
    """Finds the size of a batch at which a device does most: doubles it while images/s still grow.

    Args:
        most: the size is never above it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tried = 1
        self._passes_s: list[float] = []
        self._best = 1
        self._best_s = float("inf")
        self._in_vain = 0
        self._settled = False

    @property
    def size(self) -> int:
        """How many images the next pass should take where so many wait."""
        return min(self._best if self._settled else self._tried, self._most)

    def passed(self, images: int, seconds: float) -> None:
        """Note how long a pass took; those that were not full tell nothing."""
        if self._settled or images != self._tried:
            return
        self._passes_s.append(seconds)
        if len(self._passes_s) == _TRIES:
            self._judge(min(self._passes_s) / images)

    def too_large(self, images: int) -> None:
        """Note that so many did not fit into memory."""
        self._most = min(self._most, max(1, images // 2))
        self._best = min(self._best, self._most)
        self._settled = self._settled or self._tried > self._most

    def _judge(self, image_s: float) -> None:
        if image_s < _WORTH * self._best_s:
            self._best, self._best_s, self._in_vain = self._tried, image_s, 0
        else:
            self._in_vain += 1
        self._tried, self._passes_s = 2 * self._tried, []
        self._settled = self._in_vain == _IN_VAIN or self._tried > self._most
