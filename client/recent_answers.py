"""What people were asked about recent probes, and what they said."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from client.gallery import Entries
from client.reader import newest
from schemas.errors import BadInput
from schemas.recognition_event import DecidedBy, Identification
from schemas.records import Record
from schemas.review import ReviewDecision
from schemas.settings import Settings
from schemas.topics import HUMAN_REVIEW, IDENTIFICATIONS, REVIEW_DECISIONS


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
    """Read the last ``last`` records of each partition where people were asked and answered.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: a topic does not exist.
    """
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
