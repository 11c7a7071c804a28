"""Who answers a simulation: a person who knows the labels, and is mistaken as often as is asked."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from schemas.recognition_event import ReviewDecision, ReviewItem

ACTOR: Final = "oracle"


class Oracle:
    """Answers review items in the order in which they came.

    Args:
        labels: identity by event id, in the order of the frames.
        wrong: share of the answers that name another identity, one that is enrolled by then.
        delay: how many more frames pass before an answer is there.
        seed: of who is mistaken for whom; the same frames are answered wrongly whatever else
            differs, and with a larger share more of them.
    """

    def __init__(self, labels: Mapping[str, str], *, wrong: float, delay: int, seed: int) -> None:
        self._labels = labels
        self._wrong = wrong
        self._delay = delay
        draws = np.random.default_rng([seed, 2]).random((len(labels), 2)).tolist()
        self._draws: Mapping[str, Sequence[float]] = dict(zip(labels, draws, strict=True))
        self._asked: deque[tuple[int, ReviewItem]] = deque()

    def ask(self, item: ReviewItem, frame: int) -> None:
        """Take an item of the frame of this number."""
        self._asked.append((frame, item))

    def answers(self, frame: int, enrolled: Collection[str]) -> list[ReviewDecision]:
        """Return the answers that are there when the frame of this number comes."""
        decisions = []
        while self._asked and self._asked[0][0] + self._delay < frame:
            _, item = self._asked.popleft()
            identity = self._says(item.event_id, enrolled)
            decisions.append(ReviewDecision(item=item, identity=identity, actor=ACTOR))
        return decisions

    def rest(self, enrolled: Collection[str]) -> list[ReviewDecision]:
        """Return the answers that are still to come, however long they take."""
        return self.answers(self._asked[-1][0] + self._delay + 1, enrolled) if self._asked else []

    def _says(self, event_id: str, enrolled: Collection[str]) -> str:
        label = self._labels[event_id]
        errs, whom = self._draws[event_id]
        others = sorted(identity for identity in enrolled if identity != label)
        return others[int(whom * len(others))] if errs < self._wrong and others else label
