"""What the tests of the commands share."""

from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from schemas.event import Event
from schemas.gallery import under_term
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY, Topic

Run = Callable[..., Result]


def records(settings: Settings, topic: Topic, *events: Event) -> list[Record]:
    made = [event.record(settings.topic(topic)) for event in events]
    return [under_term(record, 1) for record in made] if topic is GALLERY else made


def photographs(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bytes of " + name.encode())
    return folder / "photos"
