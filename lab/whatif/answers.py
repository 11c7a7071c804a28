"""Answers to probes, held against what people said, and how many strangers that makes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from client.recent import People
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


class Source(StrEnum):
    """Where the share of strangers comes from."""

    GIVEN = "given"
    ANSWERED = "answered"
    ASSUMED = "assumed"


class Strangers(ReportPart):
    """The share of strangers among the probes, and how many identities they are."""

    share: float = Field(ge=0, le=1)
    identities: int = Field(ge=1)
    source: Source
    asked: int = Field(0, description="Probes that went to people")
    answered: int = Field(0, description="Of these, how many they named")


def given(share: float, probes: int) -> Strangers:
    """Return a share that the user knows; every such probe shows somebody else."""
    count = max(1, round(share * probes))
    return Strangers(share=share, identities=count, source=Source.GIVEN)


def counted(probes: Collection[str], people: People, since: Mapping[str, int]) -> Strangers:
    """Count the strangers among the probes that people named.

    A stranger is a probe that went to review while the gallery held no entry of the identity that
    a person then named. Review items that nobody has answered are taken to hold as many, and
    identified probes none. Where nobody named any, every probe is assumed to be a stranger: the
    worst case.

    Args:
        people: what was asked and said about them and others.
        since: the offset since which the gallery has known an identity.
    """
    named = {probe: people.named[probe] for probe in probes if probe in people.named}
    asked = people.asked.intersection(probes) | frozenset(named)
    if not named:
        n = max(1, len(probes))
        return Strangers(share=1, identities=n, source=Source.ASSUMED, asked=len(asked))
    unknown = [
        named.identity
        for named in named.values()
        if since.get(named.identity, named.position + 1) > named.position
    ]
    more = len(asked) / len(named)
    return Strangers(
        share=len(unknown) * more / len(probes),
        identities=max(1, round(len(set(unknown)) * more)),
        source=Source.ANSWERED,
        asked=len(asked),
        answered=len(named),
    )
