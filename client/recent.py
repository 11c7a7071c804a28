"""All that a replay needs of the topics: the present gallery, the last probes, what people said."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from client.gallery import Entries, Gallery, read_gallery
from client.reader import newest
from schemas.embedding import Embedding, read_embedding
from schemas.errors import BadInput
from schemas.recognition_event import DecidedBy, Identification, ReviewDecision
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, HUMAN_REVIEW, IDENTIFICATIONS, REVIEW_DECISIONS


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """Who it is, and the offset of the last gallery change when the matcher had to ask."""

    identity: str
    position: int


@dataclass(frozen=True, slots=True)
class People:
    """Event ids that people were asked about, and their last word where they named an identity."""

    asked: frozenset[str]
    named: dict[str, PersonAnswer]


async def recent_people(settings: Settings, last: int) -> People:
    """Read the last ``last`` records of each partition where people were asked and answered."""
    questions = await newest(settings, HUMAN_REVIEW, last)
    decisions = await newest(settings, REVIEW_DECISIONS, last)
    identifications = await newest(settings, IDENTIFICATIONS, last)
    answers = sorted([*decisions, *identifications], key=lambda record: record.timestamp_ms)
    return people_of(questions, answers, settings.topic(REVIEW_DECISIONS))


def people_of(questions: Iterable[Record], answers: Iterable[Record], decisions: str) -> People:
    """Return what was asked, and what was said in the end.

    Args:
        questions: of the topic of review items.
        answers: decisions and identifications, the oldest first.
        decisions: the topic of the former; all others are identifications.
    """
    asked = {(record.key or b"").decode() for record in questions if record.value is not None}
    named: dict[str, PersonAnswer] = {}
    for record in answers:
        try:
            _take(record, named, asked, decision=record.topic == decisions)
        except BadInput:
            continue  # no word that could be understood
    return People(frozenset(asked), named)


def _take(
    record: Record, named: dict[str, PersonAnswer], asked: set[str], *, decision: bool
) -> None:
    if not decision:
        event = Identification.read(record)
        if event.decided_by is DecidedBy.PERSON:
            named[event.event_id] = PersonAnswer(event.identity, event.gallery_position)
        return
    answer = ReviewDecision.read(record)
    asked.add(answer.id)
    if answer.identity is None:
        named.pop(answer.id, None)
    else:
        named[answer.id] = PersonAnswer(answer.identity, answer.item.gallery_position)


def truth(probes: Collection[str], people: People, entries: Entries) -> dict[str, str]:
    """Return the identity of each probe that a person named.

    Where the answer was enrolled, the entry knows it better: it was renamed and corrected since.
    """
    return {
        probe: entries[probe].identity if probe in entries else people.named[probe].identity
        for probe in probes
        if probe in people.named
    }


@dataclass(frozen=True, slots=True)
class Probes:
    """Embeddings, the oldest first, and how many records were none that can be read."""

    embeddings: list[Embedding]
    unusable: int


@dataclass(frozen=True, slots=True)
class Material:
    """The present gallery, the last probes, and what people said of them."""

    gallery: Gallery
    probes: Probes
    people: People

    @property
    def identities(self) -> dict[str, str]:
        """Whom people said that probes show, by event id."""
        ids = [probe.event_id for probe in self.probes.embeddings]
        return truth(ids, self.people, self.gallery.entries)


async def read_material(settings: Settings, last: int) -> Material:
    """Read the gallery, the last embeddings, and as much of what people were asked."""
    # One after the other: where one fails, none is left that reads on.
    return Material(
        await read_gallery(settings),
        await recent_probes(settings, last),
        await recent_people(settings, last),
    )


async def recent_probes(settings: Settings, last: int) -> Probes:
    """Return the last embeddings of all partitions; one that was sent twice counts once."""
    return probes_of((await newest(settings, EMBEDDINGS, last))[-last:])


def probes_of(records: Iterable[Record]) -> Probes:
    """Read embeddings; of those with one event id the last one counts."""
    embeddings: dict[str, Embedding] = {}
    unusable = 0
    for record in records:
        try:
            embedding = read_embedding(record)
        except BadInput:
            unusable += 1
            continue
        embeddings.pop(embedding.event_id, None)
        embeddings[embedding.event_id] = embedding
    return Probes(list(embeddings.values()), unusable)
