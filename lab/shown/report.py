"""What reports are made of, which are written as JSON, and the folder that they lie in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from schemas.errors import SetupError


class ReportPart(BaseModel):
    """A report, or a part of one; it may be read from what has attributes of the same names."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder, and name it where something cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise SetupError(f"{folder}: {error}; give another folder with --out") from error
