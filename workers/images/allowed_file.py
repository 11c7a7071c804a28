"""A file below an allowed folder, opened so that nothing can be put in its way meanwhile."""

import os
from dataclasses import dataclass
from pathlib import Path

_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# NONBLOCK: opening a pipe must not hang.
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class AllowedFile:
    """Where a file lies, every symbolic link resolved.

    Attributes:
        root: the allowed folder (or the file itself, where that is what is allowed).
        path: of the file.
    """

    root: Path
    path: Path

    def open(self) -> int:
        """Return a descriptor of the file, for reading.

        Each folder on the way is opened from the one before it, and none may be a link: what was
        resolved holds no links, so one that is there now was put there since.

        Raises:
            OSError: it cannot be opened so.
        """
        parts = self.path.relative_to(self.root).parts
        if not parts:
            return os.open(self.root, _FILE)
        here = os.open(self.root, _FOLDER)
        try:
            for part in parts[:-1]:
                there = os.open(part, _FOLDER, dir_fd=here)
                os.close(here)
                here = there
            return os.open(parts[-1], _FILE, dir_fd=here)
        finally:
            os.close(here)
