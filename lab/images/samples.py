"""The train and calibrate images of a split, embedded: what saliency and a fit look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from lab.images.backgrounds import backgrounds_of, fit_variables
from lab.images.embed import embed_with
from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import session_of, splits_of, the_split
from recognition.distance import FloatArray
from recognition.fit import Sample
from recognition.protocol import Indices, Part, Split, sessions_of
from recognition.variable import Variable
from schemas.background import declaration_of
from schemas.errors import SetupError
from schemas.event import Background
from schemas.settings import Settings

MIN_SEEN: Final = 2
MIN_HELD_OUT: Final = 4
MIN_SEEN_AGAIN: Final = 2
"""Identities: some are enrolled, and come again in another session; the others are strangers."""


@dataclass(frozen=True, slots=True)
class PartsRequest:
    """Which images are looked at, by which variables, and what embeds them.

    Attributes:
        splits: a splits file; None takes the one beside the manifest, or makes splits.
        split: its train and calibrate parts are used; None for the first.
        model: a model folder, ``plain``, or a path with ``{split}`` in it.
        by: the variables; None for each that can be.
    """

    manifest: Path
    splits: Path | None
    split: int | None
    model: str
    by: Sequence[str] | None


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedParts:
    """The images (n) of the train and calibrate parts that have an embedding.

    Attributes:
        data: what the images are called together.
        seen: (n,), which are of the train part.
        embeddings: (n, d), finite.
        model: the version that embedded.
        refused: why an image was left out, by its path.
        variables: fitted to the backgrounds.
        left_out: why a variable is not among them, by its name.
    """

    data: str
    split: int
    seen: NDArray[np.bool_]
    rows: Sequence[ManifestRow]
    embeddings: FloatArray
    backgrounds: Sequence[Background]
    model: str
    refused: dict[str, str]
    variables: Sequence[Variable]
    left_out: dict[str, str]

    @property
    def labels(self) -> list[str]:
        """The identity of each image."""
        return [_label(row) for row in self.rows]


def embed_parts(
    request: PartsRequest, settings: Settings, bar: Progress, *, to_fit: bool = False
) -> EmbeddedParts:
    """Embed the train and calibrate parts of a split, and fit the variables of their backgrounds.

    What is to be fitted to (``to_fit``) needs identities enough, and no variable unless it is asked
    for.
    """
    manifest = read_manifest(request.manifest)
    split = the_split(splits_of(request.manifest, manifest, request.splits), request.split)
    images = images_of(split)
    rows, seen = [manifest[i] for i in images], np.isin(images, split.train)
    if to_fit:
        check(rows, seen, split.number)
    declaration, optional = declaration_of(settings), to_fit and request.by is None
    backgrounds = backgrounds_of(rows, declaration)
    # What is wrong is said before embedding.
    fit_variables(backgrounds, request.by, declaration, may_be_none=optional)
    embedded = embed_with(request.model, split, rows, settings, bar)
    sound = embedded.sound
    backgrounds = [backgrounds[i] for i in sound]
    variables, left_out = fit_variables(backgrounds, request.by, declaration, may_be_none=optional)
    return EmbeddedParts(
        data=request.manifest.resolve().parent.name,
        split=split.number,
        seen=seen[sound],
        rows=[rows[i] for i in sound],
        embeddings=embedded.vectors[sound],
        backgrounds=backgrounds,
        model=embedded.model,
        refused=embedded.refused,
        variables=variables,
        left_out=left_out,
    )


@dataclass(frozen=True, slots=True, eq=False)
class FitSamples:
    """What a fit is made from (the train part), and judged by (the calibrate part)."""

    seen: Sample
    held_out: Sample


def images_of(split: Split) -> Indices:
    """Return the images that a fit uses, in ascending order."""
    return np.union1d(split.train, split.images(Part.CALIBRATE))


def check(rows: Sequence[ManifestRow], seen: NDArray[np.bool_], split: int) -> None:
    """Check that the images of a split's parts are of identities enough: before they are embedded.

    Args:
        seen: (n,), which are of the train part.

    Raises:
        SetupError: they are not; the message says what there is and what to do.
    """
    trained = {row.label for row in compress(rows, seen)}
    if len(trained) < MIN_SEEN:
        raise SetupError(
            f"the train part of split {split} has {len(trained)} identities, statistics need "
            f"{MIN_SEEN}: label more images, or give other parts with --splits"
        )
    own = list(compress(rows, ~seen))
    sessions = sessions_of([_label(row) for row in own], [session_of(row) for row in own])
    again = sum(len(times) > 1 for times in sessions.values())
    if len(sessions) < MIN_HELD_OUT or again < MIN_SEEN_AGAIN:
        raise SetupError(
            f"the calibrate part of split {split} has {len(sessions)} identities, {again} of them "
            f"seen in two sessions or more; thresholds need {MIN_HELD_OUT}, {MIN_SEEN_AGAIN} of "
            "them so: label more images, or give other parts with --splits"
        )


def samples(parts: EmbeddedParts) -> FitSamples:
    """Divide the images into those that a fit is made from, and those that judge it."""
    check(parts.rows, parts.seen, parts.split)

    def sample(which: NDArray[np.bool_]) -> Sample:
        return sample_of(
            list(compress(parts.rows, which)),
            parts.embeddings[which],
            list(compress(parts.backgrounds, which)),
        )

    return FitSamples(sample(parts.seen), sample(~parts.seen))


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
