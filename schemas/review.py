"""``review-decisions``: a person's answer."""

from typing import ClassVar

from pydantic import Field

from schemas.decided import Decided
from schemas.event import Identity
from schemas.recognition_event import ReviewItem


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
