"""Answers to probes, held against what people said that they show."""

from collections.abc import Mapping
from dataclasses import dataclass

from lab.shown.report import ReportPart


@dataclass(frozen=True, slots=True)
class Answer:
    """What the matcher says of a probe.

    Attributes:
        identity: None sends the probe to review.
        distance: to the identity, or for review to the nearest one; None without any.
        threshold: None where the gallery is too small to have one.
        cluster: of the probe, None where its background does not tell.
    """

    event_id: str
    identity: str | None
    distance: float | None
    threshold: float | None
    cluster: str | None


Answers = dict[str, Answer]
"""By event id."""


class Verified(ReportPart):
    """The probes that people named: how many were identified rightly and wrongly."""

    right: int
    wrong: int
    review: int


def verify(answers: Answers, identities: Mapping[str, str]) -> Verified:
    """Hold answers against what people said."""
    pairs = [
        (answers[probe].identity, identity)
        for probe, identity in identities.items()
        if probe in answers
    ]
    right = sum(answer == identity for answer, identity in pairs)
    review = sum(answer is None for answer, _ in pairs)
    return Verified(right=right, wrong=len(pairs) - right - review, review=review)
