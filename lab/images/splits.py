"""Which images train, calibrate and test: read from ``splits.csv``, or made from the manifest."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import numpy as np

from lab.images.manifest import ManifestRow
from recognition.protocol import Part, Split, Trial, make_splits
from schemas.errors import SetupError

BESIDE = "splits.csv"
COLUMNS = ("split", "scenario", "path", "part", "role")

_ROLES = {
    Part.TRAIN: ("train",),
    Part.CALIBRATE: ("gallery", "probe"),
    Part.TEST: ("gallery", "probe"),
}


def splits_of(manifest: Path, rows: Sequence[ManifestRow], chosen: Path | None) -> list[Split]:
    """Return the splits in ``chosen``, else in ``splits.csv`` beside the manifest, else new ones.

    New ones keep apart what was taken in one session: the ``session`` or else the ``date``
    variable, or the day of ``captured_at``. They are the same every time.

    Raises:
        SetupError: as :func:`read_splits`, or the identities are too few to make splits of.
    """
    beside = manifest.parent / BESIDE
    if chosen is not None or beside.is_file():
        return read_splits(beside if chosen is None else chosen, rows)
    labelled = np.array([i for i, row in enumerate(rows) if row.label is not None], dtype=np.intp)
    try:
        new_splits = make_splits(
            [rows[i].label or "" for i in labelled], [session_of(rows[i]) for i in labelled]
        )
    except ValueError as error:
        raise SetupError(f"cannot make splits of {manifest}: {error}") from error
    return [
        Split(
            split.number,
            labelled[split.train],
            MappingProxyType(
                {
                    key: Trial(labelled[trial.gallery], labelled[trial.probes])
                    for key, trial in split.trials.items()
                }
            ),
        )
        for split in new_splits
    ]


def chosen(splits: Sequence[Split], numbers: Sequence[int] | None) -> list[Split]:
    """Return the splits with these numbers, each once, in the order asked for; None for all."""
    there = {split.number: split for split in splits}
    if numbers is None:
        return list(splits)
    for number in numbers:
        if number not in there:
            known = ", ".join(map(str, there))
            raise SetupError(f"there is no split {number}; there are {known}")
    return [there[number] for number in dict.fromkeys(numbers)]


def the_split(splits: Sequence[Split], number: int | None) -> Split:
    """Return the split with this number; None for the first."""
    return chosen(splits, None if number is None else [number])[0]


def session_of(row: ManifestRow) -> str:
    """Return when a row was taken, as a name; empty where it does not say."""
    for name in ("session", "date"):
        if name in row.background:
            return str(row.background[name])
    return "" if row.captured_at is None else row.captured_at.date().isoformat()


def read_splits(path: Path, rows: Sequence[ManifestRow]) -> list[Split]:
    """Read ``split,scenario,path,part,role``; ``path`` is as in the manifest.

    Other columns are not read: whether a probe is known follows from the labels.

    Raises:
        SetupError: naming the line, what is wrong with it and what would be right; or the identity
            that is in two parts of one split.
    """
    index = {row.id: number for number, row in enumerate(rows)}
    splits: dict[int, dict[tuple[str, Part, str], list[int]]] = defaultdict(
        lambda: defaultdict(list)
    )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            if missing := set(COLUMNS) - set(reader.fieldnames or ()):
                raise SetupError(
                    f"{path}: no column {', '.join(sorted(missing))}; the first line of a splits "
                    f"file reads {','.join(COLUMNS)}"
                )
            for line in reader:
                where = f"{path}, line {reader.line_num}"
                number, scenario, part, role, row = _read(where, line, index)
                if rows[row].label is None:
                    raise SetupError(f"{where}: {rows[row].id} has no label in the manifest")
                splits[number][scenario, part, role].append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SetupError(f"splits {path}: {error}") from error
    if not splits:
        raise SetupError(f"{path}: no split in it")
    return [_split(path, number, rows, members) for number, members in sorted(splits.items())]


def _read(
    where: str, line: dict[str, str], index: dict[str, int]
) -> tuple[int, str, Part, str, int]:
    """Return split, scenario, part, role and row number of a line."""
    if not line["split"].isdecimal():
        raise SetupError(f"{where}: split {line['split']!r} is no number from 0 on")
    try:
        part = Part(line["part"])
    except ValueError as error:
        raise SetupError(f"{where}: part {line['part']!r}; one of {', '.join(Part)}") from error
    if line["role"] not in _ROLES[part]:
        raise SetupError(
            f"{where}: role {line['role']!r} in part {part}; one of {', '.join(_ROLES[part])}"
        )
    image = PurePosixPath(line["path"]).as_posix()
    if image not in index:
        raise SetupError(f"{where}: {image} is not in the manifest")
    return int(line["split"]), line["scenario"], part, line["role"], index[image]


def _split(
    path: Path,
    number: int,
    rows: Sequence[ManifestRow],
    members: dict[tuple[str, Part, str], list[int]],
) -> Split:
    _check_apart(path, number, rows, members)
    train = {row for (_, part, _), those in members.items() if part is Part.TRAIN for row in those}
    trials: dict[tuple[str, Part], Trial] = {
        (scenario, part): _trial(path, number, scenario, part, members)
        for scenario, part, _ in members
        if part is not Part.TRAIN
    }
    return Split(number, np.array(sorted(train), dtype=np.intp), MappingProxyType(trials))


def _trial(
    path: Path,
    number: int,
    scenario: str,
    part: Part,
    members: dict[tuple[str, Part, str], list[int]],
) -> Trial:
    gallery, probes = (
        np.array(sorted(set(members.get((scenario, part, role), ()))), dtype=np.intp)
        for role in ("gallery", "probe")
    )
    where = f"{path}: split {number}, scenario {scenario!r}, part {part}"
    if gallery.size == 0 or probes.size == 0:
        raise SetupError(f"{where} has {gallery.size} gallery images and {probes.size} probes")
    if np.intersect1d(gallery, probes).size:
        raise SetupError(f"{where}: an image is both in the gallery and a probe")
    return Trial(gallery, probes)


def _check_apart(
    path: Path,
    number: int,
    rows: Sequence[ManifestRow],
    members: dict[tuple[str, Part, str], list[int]],
) -> None:
    """Refuse a split in which an identity is trained on and tested as well."""
    parts: dict[str | None, Part] = {}
    for (_, part, _), those in members.items():
        for label in {rows[row].label for row in those}:
            if parts.setdefault(label, part) is not part:
                raise SetupError(
                    f"{path}: split {number} has {label!r} in {parts[label]} and in {part}; an "
                    "identity may be in one part only, or the figures would be too good"
                )
