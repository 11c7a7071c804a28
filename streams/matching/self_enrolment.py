"""Identified embeddings that enter the gallery by themselves."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Self

from recognition.include import Inclusion, InclusionRule, include
from schemas.embedding import Embedding
from schemas.event import now
from schemas.gallery import Enrol, GalleryCommand
from schemas.instants import instant_at
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY_COMMANDS
from streams.matching.probe import Probe

ACTOR = "matcher"
REASON = "inclusion"

_NAMESPACE = uuid.UUID("5b0f1a52-3f0c-4f6c-8f0e-6f2f6d1c7a90")


class Includer:
    """Asks the gallery agent to enrol what the rule includes.

    The entry has the event's id, as when a person enrols it: a repeat changes nothing, and a
    person's correction moves it. How many entries an identity keeps is left to retention.
    """

    def __init__(self, rule: InclusionRule, *, gallery_commands: str, metrics: Metrics) -> None:
        self._rule = rule
        self._topic = gallery_commands
        self._metrics = metrics

    @classmethod
    def of(cls, settings: Settings, metrics: Metrics) -> Self | None:
        """Return what the settings ask for; None where they ask for none."""
        if not settings.include:
            return None
        rule = InclusionRule(settings.include_surer, settings.include_new)
        return cls(rule, gallery_commands=settings.topic(GALLERY_COMMANDS), metrics=metrics)

    def commands(self, probes: Iterable[Probe]) -> Iterator[Record]:
        """Yield a command for each probe to include, but one for an identity.

        Probes of one batch were not compared with each other; a burst of images would be enrolled
        whole.
        """
        taken: set[str] = set()
        for probe in probes:
            inclusion = include(probe.decision, self._rule)
            identity = probe.decision.identity
            if identity is None:
                continue
            if inclusion is Inclusion.INCLUDED and identity in taken:
                inclusion = Inclusion.NOTHING_NEW
            self._metrics.inclusions.labels(inclusion).inc()
            if inclusion is Inclusion.INCLUDED:
                taken.add(identity)
                yield _enrolment(probe.embedding, identity).record(self._topic)


def _decided_at(embedding: Embedding) -> datetime:
    """Return when the frame was published: the same for each repeat of it, and never to come."""
    published_ms = embedding.timings_ms.get("published_at")
    if published_ms is None:
        return now()
    return instant_at(min(int(published_ms), int(now().timestamp() * 1000)))


def _enrolment(embedding: Embedding, identity: str) -> GalleryCommand:
    return GalleryCommand(
        # Not the event's id: that is the id of a person's command about the same event.
        command_id=uuid.uuid5(_NAMESPACE, embedding.event_id).hex,
        identity=identity,
        actor=ACTOR,
        reason=REASON,
        decided_at=_decided_at(embedding),
        action=Enrol.of(embedding),
    )
