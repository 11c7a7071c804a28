"""Which splits a benchmark takes, and what they test with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from infra.manifest import ManifestRow
from infra.splits import splits_of
from recognition.protocol import Indices, Part, Split
from schemas.errors import SetupError


def chosen_splits(
    manifest: Path, rows: Sequence[ManifestRow], numbers: Sequence[int]
) -> list[Split]:
    """Return the splits with these numbers.

    Raises:
        SetupError: there is none with such a number.
    """
    made = {split.number: split for split in splits_of(manifest, rows, None)}
    for number in numbers:
        if number not in made:
            raise SetupError(f"there is no split {number}; there are {', '.join(map(str, made))}")
    return [made[number] for number in dict.fromkeys(numbers)]


def images_of(split: Split, *parts: Part) -> Indices:
    """Return the images in the trials of these parts, each once."""
    trials = [trial for (_, part), trial in split.trials.items() if part in parts]
    return np.unique(np.concatenate([part for t in trials for part in (t.gallery, t.probes)]))
