"""Frames and outcomes for the tests of the demo."""

from datetime import UTC, datetime, timedelta

import numpy as np

from client.follow import Outcome, OutcomeKind
from client.names import Outgoing
from schemas.recognition_event import Identification, ReviewItem, ReviewReason
from schemas.records import Record

START = datetime(2025, 4, 10, tzinfo=UTC)


def frame(number: int, label: str | None = "oak", **background: str | float) -> Outgoing:
    """A frame taken ``number`` days after the start; its bytes are no image."""
    return Outgoing(
        given_id=f"f{number}",
        source="cam",
        captured_at=START + timedelta(days=number),
        background=background,
        label=label,
        content_type="image/jpeg",
        load=lambda: b"no image",
    )


def outcome(
    number: int,
    kind: OutcomeKind,
    identity: str = "oak",
    *,
    distance: float | None = 0.2,
    threshold: float | None = 0.3,
    at: float = 1.0,
) -> Outcome:
    """The outcome of frame ``number``, received ``at`` seconds since the epoch."""
    known = {
        "event_id": f"cam/f{number}",
        "source": "cam",
        "captured_at": START,
        "background": {},
        "cluster": "all",
        "model": "m@1",
        "gallery_position": 0,
        "distance": distance,
        "threshold": threshold,
        "timings_ms": {"embed": 4.0},
    }
    event: Identification | ReviewItem | None = None
    if kind == "identified":
        event = Identification.model_validate({**known, "identity": identity})
    elif kind == "review":
        vector = np.ones(1, np.float32)
        reason = ReviewReason.BEYOND_THRESHOLD
        event = ReviewItem.model_validate({**known, "reason": reason, "vector": vector})
    return Outcome(f"cam/f{number}", f"cam/f{number}", kind, event, Record("t", None, b""), at)
