"""Model folders below other folders."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from workers.model.model_folder import CARD


def find_models(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield each folder with a model card in it, by its path; hidden folders are left out."""
    seen: set[Path] = set()
    for folder in folders:
        for root, below, files in os.walk(folder):
            below[:] = sorted(name for name in below if not name.startswith("."))
            found = Path(root)
            if CARD in files and found.resolve() not in seen:
                seen.add(found.resolve())
                yield found
