"""What a what-if leaves in a folder."""

from pathlib import Path

from lab.shown.style import save
from lab.whatif.plot import draw
from lab.whatif.whatif import WhatIf
from schemas.errors import SetupError


def write(folder: Path, found: WhatIf) -> None:
    """Write ``whatif.json`` and ``whatif.png``; the folder is made.

    Raises:
        SetupError: it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "whatif.json").write_text(found.model_dump_json(indent=1), encoding="utf-8")
        save(draw(found), folder / "whatif.png")
    except OSError as error:
        raise SetupError(f"{folder}: {error}; give another folder with --out") from error
