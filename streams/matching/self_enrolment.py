"""Identified embeddings that enter the gallery by themselves."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime

from recognition.decision import Inclusion, InclusionRule, include
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
    """Asks the gallery agent to enrol what the rule of the settings includes, if they ask for it.

    The entry has the event's id, as when a person enrols it: a repeat changes nothing, and a
    person's correction moves it. How many entries an identity keeps is left to retention.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._asked = settings.include
        self._rule = InclusionRule(settings.include_surer, settings.include_new)
        self._topic = settings.topic(GALLERY_COMMANDS)
        self._metrics = metrics

    def commands(self, probes: Iterable[Probe]) -> Iterator[Record]:
        """Yield a command for each probe to include, but one for an identity.

        Probes of one batch were not compared with each other; a burst of images would be enrolled
        whole.
        """
        taken: set[str] = set()
        for probe in probes if self._asked else ():
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
