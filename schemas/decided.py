"""Events that somebody decided at some instant."""

from typing import Self

from pydantic import Field

from schemas.errors import BadInput
from schemas.event import Event, Instant, now
from schemas.instants import instant_at
from schemas.records import Record


class Decided(Event):
    """An event with the instant of its decision, by which a late repeat is known."""

    decided_at: Instant = Field(
        default_factory=now,
        description="When it was decided; left out: when its record was written",
    )

    @classmethod
    def read(cls, record: Record) -> Self:
        """Parse the record's value; each reading of it gives the same instant.

        Raises:
            BadInput: ``bad_event`` when the value is no valid event of this type, ``bad_time`` when
                neither the value nor the record's timestamp names an instant.
        """
        event = super().read(record)
        if "decided_at" in event.model_fields_set:
            return event
        try:
            return event.model_copy(update={"decided_at": instant_at(record.timestamp_ms)})
        except ValueError as error:
            raise BadInput("bad_time", f"timestamp {record.timestamp_ms}: {error}") from error
