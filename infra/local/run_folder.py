"""A folder for the logs of one run: it goes with a run that went well, and stays with another."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from infra.console import err


class LogFolder:
    """Where the processes of one run log; ``keep`` says that somebody will want to read it."""

    def __init__(self, name: str) -> None:
        self.path = Path(mkdtemp(prefix=f"perennial-{name}-"))
        self.keep = False


@contextmanager
def run_folder(name: str) -> Iterator[LogFolder]:
    """Make a folder; leave it, and say where it is, when an error ends the run."""
    folder = LogFolder(name)
    try:
        yield folder
    except Exception:
        folder.keep = True
        raise
    finally:
        if folder.keep:
            err.print(f"The logs are in {folder.path}", style="yellow")
        else:
            shutil.rmtree(folder.path, ignore_errors=True)
