"""Dead letters as the worker writes them."""

from dataclasses import replace

from schemas.codec import frame_name
from schemas.dead_letter import dead_letter
from schemas.errors import BadInput
from schemas.records import Record
from workers.service.job import Job


def letter(topic: str, job: Job, error: BadInput) -> Record:
    """Return the dead letter for a job. It carries the frame's id wherever that could be read."""
    origin = job.record
    if job.frame is not None and not origin.header("ce_id"):
        origin = replace(origin, headers=(*origin.headers, ("ce_id", job.frame.id.encode())))
    event = frame_name(job.record) if job.frame is None else job.frame.name()
    return dead_letter(topic, origin, error, job.stage, job.attempts, event=event)
