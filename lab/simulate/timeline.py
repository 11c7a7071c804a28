"""The order in which images come: by the time they were taken, made up where nothing tells it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from lab.images.manifest import ManifestRow

DAY: Final = timedelta(days=1)
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Moment(NamedTuple):
    """When an image was taken, and which of the rows it is."""

    instant: datetime
    row: int


def timeline(rows: Sequence[ManifestRow], seed: int) -> list[Moment]:
    """Put images in time order, those of one instant in the order of the manifest.

    One that has no time but a date, the background variable ``date`` as 2025-04-01, gets a random
    moment of that day; one that has neither the moment of a random other image. Where no image has
    either, all come in random order, a second apart. The same seed gives the same order.
    """
    rng = np.random.default_rng([seed, 0])
    instants: dict[int, datetime] = {}
    for at, row in enumerate(rows):
        day = _day(row)
        if row.captured_at is not None:
            instants[at] = row.captured_at
        elif day is not None:
            instants[at] = day + rng.random() * DAY
    known = list(instants.values())
    lost = [at for at in range(len(rows)) if at not in instants]
    if known:
        instants |= {at: known[rng.integers(len(known))] for at in lost}
    else:
        seconds = rng.permutation(len(lost)).tolist()
        instants |= {
            at: _BEGINNING + timedelta(seconds=s) for at, s in zip(lost, seconds, strict=True)
        }
    return sorted(Moment(instant, at) for at, instant in instants.items())


def untimed(rows: Sequence[ManifestRow]) -> tuple[int, int]:
    """Count the rows that have no time but a date, and those that have neither."""
    days = [_day(row) for row in rows if row.captured_at is None]
    return sum(day is not None for day in days), sum(day is None for day in days)


def _day(row: ManifestRow) -> datetime | None:
    try:
        day = date.fromisoformat(str(row.background.get("date")))
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
