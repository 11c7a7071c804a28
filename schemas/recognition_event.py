"""What was recognised, or why it was not decided, and a person's answer: three topics' events."""

from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.event import (
    Background,
    Decided,
    Event,
    EventId,
    FramePosition,
    Identity,
    Instant,
    Region,
    Vector,
)
from schemas.quality import Quality


class DecidedBy(StrEnum):
    """Who named the identity."""

    MATCHER = "matcher"
    PERSON = "person"


class ReviewReason(StrEnum):
    """Why a probe needs a person."""

    GALLERY_EMPTY = "gallery_empty"
    GALLERY_TOO_SMALL = "gallery_too_small"
    BEYOND_THRESHOLD = "beyond_threshold"
    OTHER_MODEL = "other_model"


class CandidateIdentity(BaseModel):
    """One identity that was considered, with its nearest entry."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    identity: Identity
    distance: float = Field(description="To its nearest entry; see the event's distance")
    votes: float = Field(description="Weight of its entries within the threshold")
    entry_id: EventId


class ShardSearched(BaseModel):
    """One shard that was searched, and how many entries it held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster: str
    entries: int


class RecognitionEvent(Event):
    """All that a sceptic would ask about one recognition."""

    event_id: EventId
    source: str
    captured_at: Instant
    background: Background
    region: Region | None = None
    frame: FramePosition | None = Field(
        None, description="Where the frame lies on `frames`, for as long as it is kept there"
    )
    quality: Quality | None = Field(
        None, description="Of the picture; null where it was not measured"
    )
    distance: float | None = Field(
        None,
        description="To the nearest entry of the identity (in a review item: of the first "
        "candidate). The cosine distance, or where conditioning is set the conditioned one: of the "
        "standardised embeddings, relative to the local scale and the level of the two clusters",
    )
    threshold: float | None = Field(None, description="Largest distance that counts as known")
    probability: float | None = Field(
        None,
        description="Calibrated probability that the identity (in a review item: the first "
        "candidate) is right, strangers being as frequent as where it was calibrated; null without "
        "an active conditioning that is calibrated, and where a person decided",
    )
    margin: float | None = Field(
        None, description="Distance of the runner-up identity minus this distance"
    )
    candidates: tuple[CandidateIdentity, ...] = ()
    cluster: str | None = Field(description="Null when the background does not tell it")
    shards: tuple[ShardSearched, ...] = Field(
        (), description="All shards where the background tells too little, or the own one alone "
        "did not settle it",
    )  # fmt: skip
    model: str
    conditioning: str | None = Field(
        None, description="Version of the conditioning that it was compared by; null: by none"
    )
    gallery_position: int = Field(description="Offset of the last gallery change that counted")
    timings_ms: dict[str, float] = Field(default_factory=dict)
    decided_by: DecidedBy = DecidedBy.MATCHER
    revision: int = Field(1, ge=1)

    @property
    def id(self) -> str:
        """The event name of the frame, or of its region."""
        return self.event_id


class Identification(RecognitionEvent):
    """A probe that was recognised, by the matcher or (revision 2 and up) by a person."""

    type: ClassVar[str] = "perennial.identification.v1"

    identity: Identity


class ReviewItem(RecognitionEvent):
    """A probe that a person should look at. It carries the vector, so an answer can enrol it."""

    type: ClassVar[str] = "perennial.review-item.v1"

    reason: ReviewReason
    vector: Vector


class ReviewDecision(Decided):
    """Who said what about which item.

    The item travels with its answer: whoever decides copies it from ``human-review`` unchanged.
    That keeps the review agent without state, and records what the person was shown.
    """

    type: ClassVar[str] = "perennial.review-decision.v1"

    item: ReviewItem
    identity: Identity | None = Field(description="Null: the person could not tell either")
    actor: str = Field(min_length=1)
    comment: str = ""

    @property
    def id(self) -> str:
        """The event id of the item that was answered."""
        return self.item.event_id
