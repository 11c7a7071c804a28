"""The order in which labelled images come to a simulation: by time, and never by who they show."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from lab.images.manifest import ManifestRow

CLIP: Final = "clip"
"""The background variable that names the clip of which an image is a frame."""

FRAME: Final = "frame"
"""The background variable that numbers the frames of a clip."""

DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TIMED, _UNTIMED = 1, 0

Clips = Mapping[tuple[str, ...], Sequence[int]]
"""The rows of each clip. An image that is of none is a clip of its own."""


class Moment(NamedTuple):
    """When an image was taken, None where nothing tells, and which of the rows it is."""

    instant: datetime | None
    row: int


class _Slot(NamedTuple):
    """Where an image comes: by instant, what has no time before what has, then by chance."""

    instant: datetime
    timed: int
    chance: float
    row: int


def timeline(rows: Sequence[ManifestRow], seed: int) -> list[Moment]:
    """Put images into the order in which they come.

    The images of a clip lie together, a second apart in the order of ``frame``, those of one
    number in the same second: from the one time that they have, else from a random moment of their
    ``date``. Where images of a clip have times of their own, these hold. A clip is known by source,
    day and the background variable ``clip``; an image outside of any has its own time, or a random
    moment of its date. One with neither time nor date gets none: it comes before the clip of a
    random other image. Where no image has either, all come in random order.

    What is of one instant comes in random order. The order of the rows makes no difference, for a
    manifest is sorted by label as a rule. The same seed gives the same order.
    """
    rng = np.random.default_rng([seed, 0])
    by_name = sorted(range(len(rows)), key=lambda at: (rows[at].source or "", rows[at].id))
    draws = dict(zip(by_name, rng.random((len(rows), 2)).tolist(), strict=True))
    chance = {at: first for at, (first, _) in draws.items()}
    clips = _clips(rows, by_name)
    instants: dict[int, datetime] = {}
    starts: dict[int, datetime] = {}
    for clip, moment in zip(sorted(clips), rng.random(len(clips)).tolist(), strict=True):
        taken = _instants(rows, clips[clip], moment, chance)
        instants |= taken
        starts |= dict.fromkeys(taken, min(taken.values(), default=_BEGINNING))
    timed = sorted(_Slot(instant, _TIMED, chance[at], at) for at, instant in instants.items())
    places = [starts[slot.row] for slot in timed] if timed else [_BEGINNING]
    lost = [
        _Slot(places[int(place * len(places))], _UNTIMED, chance[at], at)
        for at, (_, place) in draws.items()
        if at not in instants
    ]
    return [Moment(instants.get(slot.row), slot.row) for slot in sorted(timed + lost)]


def arrivals(moments: Sequence[Moment]) -> list[datetime]:
    """Return when each image comes: as it is taken, and what has no time just after the one before.

    A live system does likewise: it takes the time at which a record arrives for what has none.
    """
    came: list[datetime] = []
    last = _BEGINNING
    for moment in moments:
        last = last + timedelta.resolution if moment.instant is None else moment.instant
        came.append(last)
    return came


def untimed(rows: Sequence[ManifestRow]) -> tuple[int, int]:
    """Count the rows that have no time but a date, and those that have neither."""
    days = [_day(row) for row in rows if row.captured_at is None]
    return sum(day is not None for day in days), sum(day is None for day in days)


def _clips(rows: Sequence[ManifestRow], order: Sequence[int]) -> Clips:
    clips: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, at in enumerate(order):
        row = rows[at]
        day = row.captured_at if _day(row) is None else _day(row)
        of = "" if day is None else day.date().isoformat()
        clip = row.background.get(CLIP)
        alone = (str(number),) if clip is None else ()
        clips[row.source or "", of, str(clip), *alone].append(at)
    return clips


def _instants(
    rows: Sequence[ManifestRow], clip: Sequence[int], moment: float, chance: Mapping[int, float]
) -> dict[int, datetime]:
    """Return when the images of a clip were taken, as far as anything tells.

    Args:
        moment: which moment of the day, as a share of it, where the day alone is known.
        chance: what orders the images that have no number.
    """
    known = {at: taken for at in clip if (taken := rows[at].captured_at) is not None}
    days = [day for at in clip if (day := _day(rows[at])) is not None]
    start = days[0] + moment * DAY if days else None
    if len(set(known.values())) > 1:
        return dict.fromkeys(clip, start) | known if start is not None else known
    if known:
        start = next(iter(known.values()))
    if start is None:
        return {}
    return {at: start + second * _SECOND for at, second in _seconds(rows, clip, chance).items()}


def _seconds(
    rows: Sequence[ManifestRow], clip: Sequence[int], chance: Mapping[int, float]
) -> dict[int, int]:
    """Return how many seconds after the first each image of a clip comes."""
    numbers = {at: _number(rows[at]) for at in clip}
    seconds: dict[int, int] = {}
    last: float | None = None
    second = -1
    for at in sorted(clip, key=lambda at: (numbers[at], chance[at])):
        second += numbers[at] != last or numbers[at] == math.inf
        last = numbers[at]
        seconds[at] = second
    return seconds


def _number(row: ManifestRow) -> float:
    """Return the number of a frame; infinity, after all others, where it has none."""
    try:
        number = float(row.background.get(FRAME, math.inf))
    except ValueError:
        return math.inf
    return number if math.isfinite(number) else math.inf


def _day(row: ManifestRow) -> datetime | None:
    try:
        day = date.fromisoformat(str(row.background.get("date")))
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
