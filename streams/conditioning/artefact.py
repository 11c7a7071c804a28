"""The conditioning artefact: a folder with a page that people can read, and the arrays beside it.

Its version is a digest of all that decides answers, so two artefacts of one version give the same.
"""

import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from pydantic import ValidationError

from recognition.calibration import Calibration
from recognition.conditioning import Conditioning
from schemas.conditioning import ArtefactRef
from schemas.errors import SetupError, problems_of
from schemas.event import now
from streams.conditioning.artefact_format import (
    UNVERSIONED,
    Arrays,
    CalibrationPage,
    Page,
    assemble,
    digest,
    take_apart,
)

PAGE, ARRAYS = "conditioning.json", "conditioning.npz"

# What zipfile and numpy raise for files that are not whole.
_BROKEN = (
    ValueError,
    KeyError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


class ArtefactMissing(SetupError):
    """Its files cannot be opened: they are not there, or not there yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Artefact:
    """A conditioning, and what it is for.

    Attributes:
        name: what people call it.
        version: 12 hex digits.
        model: the model version whose embeddings it is for.
        fpir: the FPIR that its thresholds are asked to keep.
        conditioning: what places embeddings.
        calibration: from distances to probabilities; None where there was nothing to fit it to.
        about: figures of the fit, for people; they decide nothing.
    """

    name: str
    version: str
    model: str
    fpir: float
    conditioning: Conditioning
    calibration: Calibration | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        """The size of the embeddings that it is for."""
        return int(self.conditioning.impostors.placed.vectors.shape[1])

    def at(self, uri: str) -> ArtefactRef:
        """Return what refers to it where its folder is at ``uri``."""
        return ArtefactRef(name=self.name, version=self.version, uri=uri, model=self.model)


def save_artefact(
    folder: Path,
    *,
    name: str,
    model: str,
    fpir: float,
    conditioning: Conditioning,
    calibration: Calibration | None = None,
    about: Mapping[str, Any],
) -> Artefact:
    """Write the artefact into ``folder``, which may hold an older one; return it with its version.

    Of the impostors it keeps which images are of one identity, and not whose they are.

    Raises:
        SetupError: the folder cannot be written, or a field is none that can be read again.
    """
    parts, arrays = take_apart(conditioning)
    try:
        page = Page(
            **parts,
            name=name,
            version=UNVERSIONED,
            model=model,
            fpir=fpir,
            calibration=None if calibration is None else CalibrationPage.of(calibration),
            created_at=now(),
            about=dict(about),
        )
        text = page.model_copy(update={"version": digest(page, arrays)}).model_dump_json(indent=2)
        folder.mkdir(parents=True, exist_ok=True)
        numbers = io.BytesIO()
        np.savez(numbers, allow_pickle=False, **arrays)
        _replace(folder / ARRAYS, numbers.getvalue())
        _replace(folder / PAGE, text.encode() + b"\n")
    except (OSError, ValueError) as error:
        raise SetupError(f"{folder}: {error}") from error
    return load_artefact(folder)


def load_artefact(uri: str | Path) -> Artefact:
    """Read an artefact from a folder, given as a path or as ``file://``.

    Raises:
        ArtefactMissing: a file of it cannot be opened.
        SetupError: it is damaged, was changed, or is of another format; the message says what.
    """
    folder = folder_of(uri)
    try:
        page = Page.model_validate_json(_read(folder / PAGE))
    except ValidationError as error:
        raise SetupError(f"{folder / PAGE}: {problems_of(error)}") from error
    arrays = _arrays(folder / ARRAYS)
    version = digest(page, arrays)
    if version != page.version:
        raise SetupError(
            f"{folder}: its files make version {version}, but {PAGE} says {page.version}: one of "
            "them was changed or is of another artefact"
        )
    try:
        return Artefact(
            name=page.name,
            version=page.version,
            model=page.model,
            fpir=page.fpir,
            conditioning=assemble(page, arrays),
            calibration=None if page.calibration is None else page.calibration.assemble(),
            about=page.about,
        )
    except ValueError as error:
        raise SetupError(f"{folder}: {error}") from error


def folder_of(uri: str | Path) -> Path:
    """Return the folder that a path or ``file://`` URI names.

    Raises:
        SetupError: it is a URI of another kind.
    """
    if isinstance(uri, Path) or "://" not in uri:
        return Path(uri)
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise SetupError(f"{uri}: an artefact is read from a folder, file:///… or a path")
    return Path(unquote(parts.path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtefactMissing(f"{path}: {error.strerror}") from error


def _arrays(path: Path) -> Arrays:
    content = _read(path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except _BROKEN as error:
        raise SetupError(f"{path}: damaged, or not numpy's: {error}") from error


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)
