"""The folder that a report is written into."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import SetupError


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder, and name it where something cannot be written.

    Raises:
        SetupError: it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise SetupError(f"{folder}: {error}; give another folder with --out") from error
