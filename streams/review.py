"""The review agent: a person's answer becomes an identification and teaches the gallery."""

from collections.abc import Sequence

from schemas.gallery import Enrol, GalleryCommand
from schemas.recognition_event import DecidedBy, Identification, ReviewDecision
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY_COMMANDS, IDENTIFICATIONS


class ReviewAgent:
    """Without state: a decision carries the item that it answers."""

    def __init__(self, settings: Settings) -> None:
        self._identifications = settings.topic(IDENTIFICATIONS)
        self._gallery_commands = settings.topic(GALLERY_COMMANDS)

    async def handle(self, records: Sequence[Record]) -> list[Record]:
        """Return the identification and the enrol command of every decision that names one.

        Raises:
            BadInput: a record is no decision.
        """
        decisions = [ReviewDecision.read(record) for record in records]
        return [output for decision in decisions for output in self._outputs(decision)]

    def _outputs(self, decision: ReviewDecision) -> tuple[Record, ...]:
        if decision.identity is None:
            return ()
        return (
            _identification(decision, decision.identity).record(self._identifications),
            _enrolment(decision, decision.identity).record(self._gallery_commands),
        )


def _identification(decision: ReviewDecision, identity: str) -> Identification:
    item = decision.item
    kept = {name: getattr(item, name) for name in type(item).model_fields}
    for name in ("reason", "vector"):
        del kept[name]
    own = min((c.distance for c in item.candidates if c.identity == identity), default=None)
    others = min((c.distance for c in item.candidates if c.identity != identity), default=None)
    return Identification.model_validate(
        {
            **kept,
            "identity": identity,
            "distance": own,
            "margin": None if own is None or others is None else others - own,
            "probability": None,  # it was the first candidate's, and of the matcher's answer
            "decided_by": DecidedBy.PERSON,
            "revision": item.revision + 1,
        }
    )


def _enrolment(decision: ReviewDecision, identity: str) -> GalleryCommand:
    item = decision.item
    return GalleryCommand(
        command_id=item.event_id,
        identity=identity,
        actor=decision.actor,
        reason=f"answered a review: {item.reason}",
        decided_at=decision.decided_at,  # a repeat of the answer must not pass for a newer one
        action=Enrol.of(item),
    )
