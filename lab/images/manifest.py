"""Frames on disk: a manifest (``path,label,captured_at,<variables...>``), a folder or one file."""

import csv
import math
import mimetypes
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from client.names import MAX_PATH, Outgoing, file_id, path_text
from client.taken import taken_at
from schemas.codec import MAX_TEXT
from schemas.errors import SetupError
from schemas.event import event_name
from schemas.topics import FRAMES

PHOTOGRAPHS = (".jpg", ".jpeg", ".png", ".webp")

_TOO_MANY = ""
_MAX_LABEL = 200
_HEADERS_ROOM = 64 * 2**10
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)")
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One image: where it lies, what it shows and under which conditions.

    Attributes:
        id: its path relative to the manifest.
        source: the ``source`` or else the ``camera`` column; ``None`` where both are empty.
    """

    id: str
    path: Path
    label: str | None
    captured_at: datetime | None
    source: str | None
    background: dict[str, str | float]

    def taken(self, clock: tzinfo) -> datetime | None:
        """Return when it was taken: as is told, or else as the photograph itself says.

        ``clock`` is the time zone of cameras whose photographs name none.
        """
        if self.captured_at is not None:
            return self.captured_at
        with suppress(OSError):  # the image need not lie here
            return taken_at(self.path.read_bytes(), clock)
        return None


def read_manifest(path: Path) -> list[ManifestRow]:
    """Read a manifest; see :class:`ManifestRow`.

    Empty values are left out of the background, numbers become numbers (``007`` stays a name), and
    an instant without an offset is UTC.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey=_TOO_MANY, restval="")
            if "path" not in (reader.fieldnames or ()):
                raise SetupError(
                    f"{path}: no column 'path'; the first line of a manifest reads "
                    "path,label,captured_at, then one column per background variable"
                )
            return [_row(path, reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SetupError(f"manifest {path}: {error}") from error


def from_manifest(
    rows: Iterable[ManifestRow],
    source: str = "cli",
    extra: Mapping[str, str | float] | None = None,
    only: Collection[str] | None = None,
) -> list[Outgoing]:
    """Make frames of manifest rows.

    Args:
        rows: what to publish.
        source: the source of the rows that name none.
        extra: background variables that every frame gets; a row's own value wins.
        only: where given, leave out the variables not named here.

    Raises:
        SetupError: a file is missing or larger than a frame may be, or a name is too long.
    """
    return [
        Outgoing(
            given_id=_fitting("path", row.id, MAX_PATH),
            source=_fitting("source", source if row.source is None else row.source, MAX_TEXT),
            captured_at=row.captured_at,
            background={
                name: value
                for name, value in {**(extra or {}), **row.background}.items()
                if only is None or name in only
            },
            label=row.label,
            content_type=mimetypes.guess_type(row.path.name)[0] or "application/octet-stream",
            load=_checked(row.path).read_bytes,
            is_file=True,
        )
        for row in rows
    ]


def from_directory(
    path: Path, source: str = "cli", extra: Mapping[str, str | float] | None = None
) -> list[Outgoing]:
    """Make frames of the photographs below ``path``, in the order of their names, or of one file.

    Raises:
        SetupError: nothing is there, or a file is larger than a frame may be.
    """
    below = (p for p in path.rglob("*") if p.suffix.lower() in PHOTOGRAPHS and p.is_file())
    files = [path] if path.is_file() else sorted(below)
    if not files:
        raise SetupError(f"{path}: no photograph ({', '.join(PHOTOGRAPHS)}) in it")
    root = path.parent if path.is_file() else path
    rows = (ManifestRow(path_text(p.relative_to(root)), p, None, None, None, {}) for p in files)
    return from_manifest(rows, source, extra)


def read_value(text: str) -> str | float:
    """Return the number that ``text`` is, or ``text`` itself."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _row(manifest: Path, number: int, line: Mapping[str, str]) -> ManifestRow:
    where = f"{manifest}, line {number}"
    if _TOO_MANY in line:
        raise SetupError(
            f"{where}: more values than the first line has columns; quote a value with a comma"
        )
    values = {name: value.strip() for name, value in line.items()}
    if not values["path"]:
        raise SetupError(f"{where}: the path is empty")
    relative = Path(values.pop("path"))
    label = values.pop("label", "")
    if len(label) > _MAX_LABEL:
        raise SetupError(f"{where}: a label has {len(label)} characters, {_MAX_LABEL} at most")
    captured_at = values.pop("captured_at", "")
    source = values.pop("source", "") or values.get("camera", "")
    return ManifestRow(
        id=relative.as_posix(),
        path=manifest.parent / relative,
        label=label or None,
        captured_at=_instant(where, captured_at) if captured_at else None,
        source=source or None,
        background={name: read_value(value) for name, value in values.items() if value},
    )


def _instant(where: str, text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise SetupError(
            f"{where}: captured_at {text!r} is no instant; write 2025-04-01T09:32:14+02:00, or "
            "leave it empty"
        ) from error
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _fitting(what: str, text: str, most: int) -> str:
    if not 1 <= len(text) <= most:
        raise SetupError(
            f"{what} {text!r} has {len(text)} characters; it needs 1 to {most}; "
            "nothing was published"
        )
    return text


def _checked(path: Path) -> Path:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}; nothing was published") from error
    if size > FRAMES.max_bytes - _HEADERS_ROOM:
        raise SetupError(
            f"{path} has {size:,} bytes, and with its headers a frame takes "
            f"{FRAMES.max_bytes:,}; nothing was published: make it smaller, or publish where it "
            "lies as image_uri"
        )
    return path


def labels_of(rows: Iterable[ManifestRow], source: str) -> dict[str, str]:
    """Return the label of each image that has one, by event name.

    An image is known as `perennial publish` names it, and by its path alone, as another client may
    have published it. ``source`` is that of the rows that name none.
    """
    labels: dict[str, str] = {}
    for row in rows:
        if row.label is None:
            continue
        camera = source if row.source is None else row.source
        labels[event_name(camera, row.id)] = row.label
        with suppress(OSError):  # the images need not lie here
            labels[event_name(camera, file_id(row.id, row.path.read_bytes()))] = row.label
    return labels
