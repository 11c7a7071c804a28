"""The demo's bookkeeping: every frame from publication to its end, judged by its label."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from client.follow import Outcome, Tally
from client.names import Outgoing
from schemas.recognition_event import Identification

QUARTERS = 4


class FrameVerdict(StrEnum):
    """How a frame ended, judged by its label."""

    RIGHT = "right"
    WRONG = "wrong"
    UNCHECKED = "no label"
    REVIEW = "review"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Ended:
    """A frame with its outcome; ``order`` counts from 0 as published."""

    order: int
    frame: Outgoing
    outcome: Outcome
    verdict: FrameVerdict


@dataclass(frozen=True, slots=True)
class Stretch:
    """Verdict counts over a run of ``planned`` frames, in publishing order."""

    planned: int
    counts: Counter[FrameVerdict]
    first: datetime | None
    last: datetime | None

    @property
    def frames(self) -> int:
        """Frames that have ended."""
        return self.counts.total()

    @property
    def identified(self) -> int:
        """Frames that the matcher recognised, rightly or not."""
        return sum(
            self.counts[v] for v in (FrameVerdict.RIGHT, FrameVerdict.WRONG, FrameVerdict.UNCHECKED)
        )

    @property
    def accuracy(self) -> float | None:
        """Right ones among the identified frames that have a label; ``None`` without any."""
        checked = self.counts[FrameVerdict.RIGHT] + self.counts[FrameVerdict.WRONG]
        return self.counts[FrameVerdict.RIGHT] / checked if checked else None

    @property
    def review_share(self) -> float | None:
        """Share of the frames that needed a person; ``None`` before the first ended."""
        return self.counts[FrameVerdict.REVIEW] / self.frames if self.frames else None


class Ledger:
    """What was published and how it ended, in publishing order."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.tally = Tally()
        self._frames: list[Outgoing] = []
        self._order: dict[str, int] = {}
        self._ended: dict[int, Ended] = {}

    def published(self, frame: Outgoing, at: float) -> None:
        """Note that ``frame`` was sent, at an instant in seconds since the epoch."""
        self._order[frame.name] = len(self._frames)
        self._frames.append(frame)
        self.tally.published(frame.name, at)

    def ended(self, outcome: Outcome) -> Ended | None:
        """Note an outcome; ``None`` when its frame is not ours or has ended before."""
        order = self._order.get(outcome.frame)
        if order is None or order in self._ended:
            return None
        frame = self._frames[order]
        self._ended[order] = Ended(order, frame, outcome, verdict(frame.label, outcome))
        self.tally.outcome(outcome)
        return self._ended[order]

    @property
    def all_ended(self) -> bool:
        """Whether every frame of the plan was published and has ended."""
        return len(self._ended) == self.total

    @property
    def history(self) -> Sequence[Ended]:
        """The frames that have ended, in publishing order."""
        return [self._ended[order] for order in sorted(self._ended)]

    def whole(self) -> Stretch:
        """Count over everything."""
        return self._stretch(0, self.total)

    def stretches(self, pieces: int) -> list[Stretch]:
        """Cut the plan into ``pieces`` of equal length and count each."""
        edges = [piece * self.total // pieces for piece in range(pieces + 1)]
        return [self._stretch(*edge) for edge in pairwise(edges)]

    def _stretch(self, start: int, stop: int) -> Stretch:
        ended = (self._ended.get(order) for order in range(start, stop))
        times = [f.captured_at for f in self._frames[start:stop] if f.captured_at is not None]
        return Stretch(
            stop - start,
            Counter(item.verdict for item in ended if item is not None),
            min(times, default=None),
            max(times, default=None),
        )


def verdict(label: str | None, outcome: Outcome) -> FrameVerdict:
    """Judge an outcome by the frame's label."""
    if outcome.kind != "identified":
        return FrameVerdict.REVIEW if outcome.kind == "review" else FrameVerdict.DEAD
    if label is None or not isinstance(outcome.event, Identification):
        return FrameVerdict.UNCHECKED
    return FrameVerdict.RIGHT if outcome.event.identity == label else FrameVerdict.WRONG
