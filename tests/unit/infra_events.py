"""One sample of every event."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from schemas.conditioning import Activation
from schemas.event import Event, Region
from schemas.gallery import Action, Enrol, Erase, GalleryCommand, GalleryEntry, Move, Quarantine
from schemas.quality import Quality
from schemas.recognition_event import (
    CandidateIdentity,
    DecidedBy,
    Identification,
    ReviewDecision,
    ReviewItem,
    ReviewReason,
    ShardSearched,
)

QUALITY = Quality(sharpness=0.5, size=96, dark=0.25, bright=0, overall=0.9241)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VECTOR = np.array([0.6, 0.8], np.float32)


def recognition(event_id: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "source": "cam-1",
        "captured_at": AT,
        "background": {"season": "winter", "hour": 7.5, "snow": True, "herd": 3},
        "region": Region(x=0, y=0, width=10, height=20.5),
        "quality": QUALITY,
        "distance": 0.25,
        "threshold": 0.3,
        "margin": 0.1,
        "candidates": (
            CandidateIdentity(identity="Bella", distance=0.25, votes=2.5, entry_id="e1"),
        ),
        "cluster": "winter",
        "shards": (ShardSearched(cluster="winter", entries=12),),
        "model": "m@1",
        "gallery_position": 11,
        "timings_ms": {"published_at": 1e12, "decode": 1.5, "embed": 4.0},
    }


def identification(event_id: str = "f1", **changes: Any) -> Identification:
    return Identification(**{**recognition(event_id), "identity": "Bella", **changes})


def review_item(event_id: str = "f2", **changes: Any) -> ReviewItem:
    return ReviewItem(
        **{
            **recognition(event_id),
            "reason": ReviewReason.BEYOND_THRESHOLD,
            "vector": VECTOR,
            **changes,
        }
    )


def command(action: Action) -> GalleryCommand:
    return GalleryCommand(
        command_id="c1", identity="Bella", actor="ann", reason="seen", action=action
    )


def entry(entry_id: str = "e1", identity: str = "Bella", **changes: Any) -> GalleryEntry:
    return GalleryEntry(
        **{
            "entry_id": entry_id,
            "identity": identity,
            "model": "m@1",
            "cluster": "winter",
            "background": {"season": "winter"},
            "source": "cam-1",
            "captured_at": AT,
            "vector": VECTOR,
            "actor": "ann",
            "reason": "enrolled",
            **changes,
        }
    )


def conditioning(uri: str | None) -> Activation:
    """Return what activates version 1; without a URI, what switches it off."""
    version, model = (None, None) if uri is None else ("1", "m@1")
    return Activation(
        name="main", version=version, uri=uri, model=model, activated_at=AT, actor="a"
    )


def samples() -> list[Event]:
    enrol = Enrol(
        entry_id="e1", model="m@1", background={}, source="cam-1", captured_at=AT, vector=VECTOR
    )
    return [
        identification(),
        identification(decided_by=DecidedBy.PERSON, revision=2, distance=None, cluster=None),
        review_item(),
        ReviewDecision(item=review_item(), identity="Bella", actor="ann"),
        ReviewDecision(item=review_item(), identity=None, actor="ann", comment="too dark"),
        command(enrol),
        command(Quarantine(entry_ids=("e1",))),
        command(Move(action="rename", to="Bela")),
        command(Erase()),
        entry(),
        conditioning("file:///c"),
    ]
