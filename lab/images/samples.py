"""The images that a conditioning is fitted to: those seen, and those of the identities held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lab.images.manifest import ManifestRow
from lab.images.splits import session_of
from recognition.distance import FloatArray
from recognition.fit import Sample
from recognition.protocol import Indices, Part, Split, sessions_of
from schemas.errors import SetupError
from schemas.event import Background

MIN_SEEN: Final = 2
MIN_HELD_OUT: Final = 4
MIN_SEEN_AGAIN: Final = 2
"""Identities: some are enrolled, and come again in another session; the others are strangers."""


@dataclass(frozen=True, slots=True, eq=False)
class FitSamples:
    """What a fit is made from (the train part), and judged by (the calibrate part)."""

    seen: Sample
    held_out: Sample


def images_of(split: Split) -> Indices:
    """Return the images that a fit uses, in ascending order."""
    return np.union1d(split.train, split.images(Part.CALIBRATE))


def check(rows: Sequence[ManifestRow], split: Split, images: Indices) -> None:
    """Check that these images of a split are of identities enough: before they are embedded.

    Raises:
        SetupError: they are not; the message says what there is and what to do.
    """
    seen = np.isin(images, split.train)
    trained = {rows[i].label for i in images[seen]}
    if len(trained) < MIN_SEEN:
        raise SetupError(
            f"the train part of split {split.number} has {len(trained)} identities, statistics "
            f"need {MIN_SEEN}: label more images, or give other parts with --splits"
        )
    own = [rows[i] for i in images[~seen]]
    sessions = sessions_of([_label(row) for row in own], [session_of(row) for row in own])
    again = sum(len(times) > 1 for times in sessions.values())
    if len(sessions) < MIN_HELD_OUT or again < MIN_SEEN_AGAIN:
        raise SetupError(
            f"the calibrate part of split {split.number} has {len(sessions)} identities, {again} "
            f"of them seen in two sessions or more; thresholds need {MIN_HELD_OUT}, "
            f"{MIN_SEEN_AGAIN} of them so: label more images, or give other parts with --splits"
        )


def samples(
    rows: Sequence[ManifestRow],
    split: Split,
    images: Indices,
    embeddings: FloatArray,
    backgrounds: Sequence[Background],
) -> FitSamples:
    """Divide images by the parts of the split.

    Args:
        rows: of the whole manifest.
        split: whose parts.
        images: (n,), which rows have an embedding.
        embeddings: (n, d), finite.
        backgrounds: of each image.

    Raises:
        SetupError: as :func:`check`.
    """
    check(rows, split, images)
    seen = np.isin(images, split.train)

    def sample(which: NDArray[np.bool_]) -> Sample:
        own = [rows[image] for image in images[which]]
        return sample_of(own, embeddings[which], list(compress(backgrounds, which)))

    return FitSamples(sample(seen), sample(~seen))


def sample_of(
    rows: Sequence[ManifestRow], embeddings: FloatArray, backgrounds: Sequence[Background]
) -> Sample:
    """Return n images, with an embedding (n, d) and a background each, as a fit takes them."""
    return Sample(
        embeddings,
        np.array([_label(row) for row in rows], dtype=np.str_),
        backgrounds,
        [session_of(row) for row in rows],
    )


def _label(row: ManifestRow) -> str:
    return "" if row.label is None else row.label
