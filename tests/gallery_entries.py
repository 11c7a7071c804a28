"""Gallery entries and commands for tests, with only what matters to the test spelled out."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from schemas.event import now
from schemas.gallery import Action, Enrol, GalleryCommand, GalleryEntry
from streams.conditioning.placement import Placement
from streams.gallery.holdings import Holdings
from streams.gallery.placed_gallery import PlacedGallery

MODEL = "test@000000000000"
CAPTURED = datetime(2025, 5, 1, tzinfo=UTC)


def unit(vector: Any) -> np.ndarray:
    """Return the vector as float32, brought to norm 1."""
    array = np.asarray(vector, dtype=np.float32)
    return np.asarray(array / np.linalg.norm(array), dtype=np.float32)


def entry(entry_id: str, identity: str, vector: Any, **changes: Any) -> GalleryEntry:
    """Return an active entry."""
    values: dict[str, Any] = {
        "entry_id": entry_id,
        "identity": identity,
        "model": MODEL,
        "cluster": "all",
        "background": {},
        "source": "cam-1",
        "captured_at": CAPTURED,
        "vector": unit(vector),
        "actor": "ann",
        "reason": "test",
        "decided_at": CAPTURED,
    }
    return GalleryEntry(**{**values, **changes})


def enrol(entry_id: str, identity: str, vector: Any, **changes: Any) -> GalleryCommand:
    """Return the command that enrols an entry."""
    values: dict[str, Any] = {
        "entry_id": entry_id,
        "model": MODEL,
        "background": {},
        "source": "cam-1",
        "captured_at": CAPTURED,
        "vector": unit(vector),
    }
    return command(identity, Enrol(**{**values, **changes}), f"enrol-{entry_id}")


def command(
    identity: str,
    action: Action,
    command_id: str = "command-1",
    decided_at: datetime | None = None,
) -> GalleryCommand:
    """Return a command by ann, decided now where nothing else is said."""
    return GalleryCommand(
        command_id=command_id,
        identity=identity,
        actor="ann",
        reason="test",
        action=action,
        decided_at=now() if decided_at is None else decided_at,
    )


def plain_holdings(target_fpir: float = 0.01, *shard_by: str) -> Holdings:
    """Return empty holdings without a conditioning."""
    return Holdings(PlacedGallery(Placement(shard_by), None, target_fpir))
