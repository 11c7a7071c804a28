"""Which entries of one identity in one cluster should leave the gallery, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from recognition.distance import FloatArray


class Removal(StrEnum):
    """Why an entry should leave."""

    AGE = "age"
    COUNT = "count"
    MAD = "mad"


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """An entry of the gallery: its (d,) vector and when (with time zone) it was captured."""

    entry_id: str
    captured_at: datetime
    vector: FloatArray

    def __post_init__(self) -> None:
        if self.captured_at.tzinfo is None:
            raise ValueError(f"entry {self.entry_id!r}: captured_at needs a time zone")


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """What may stay. None switches a rule off.

    ``max_age``: how long ago an entry may have been captured. ``newest``: how many entries, the
    newest ones. ``mad_cutoff``: the modified z-score up to which an entry is no outlier, asked
    only of ``mad_min`` entries and more.
    """

    max_age: timedelta | None = None
    newest: int | None = 50
    mad_cutoff: float | None = 3.5
    mad_min: int = 5

    def __post_init__(self) -> None:
        if self.max_age is not None and self.max_age <= timedelta(0):
            raise ValueError(f"max_age must be positive, got {self.max_age}")
        if self.newest is not None and self.newest < 1:
            raise ValueError(f"newest must be at least 1, got {self.newest}")
        if self.mad_cutoff is not None and not self.mad_cutoff > 0:
            raise ValueError(f"mad_cutoff must be positive, got {self.mad_cutoff}")
        if self.mad_min < 1:
            raise ValueError(f"mad_min must be at least 1, got {self.mad_min}")


def retain(entries: Sequence[Held], rule: RetentionRule, now: datetime) -> dict[str, Removal]:
    """Return the entries that should leave, by id, for ONE identity in ONE cluster.

    First those older than ``max_age``; of the rest all but the ``newest`` (of two captured at the
    same instant the smaller id counts as older); of the rest the outliers. The order in which
    entries come does not matter. Applied again to what stays, age and count remove nothing more;
    the outlier rule may, since without the outliers the median and the MAD are others.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    if len({entry.entry_id for entry in entries}) != len(entries):
        raise ValueError("every entry id may occur only once")
    everything = sorted(entries, key=lambda entry: (entry.captured_at, entry.entry_id))
    oldest = rule.max_age
    recent = [e for e in everything if oldest is None or now - e.captured_at <= oldest]
    newest = recent if rule.newest is None else recent[-rule.newest :]
    typical = _typical(newest, rule)
    removed: dict[str, Removal] = {}
    for removal, before, after in (
        (Removal.AGE, everything, recent),
        (Removal.COUNT, recent, newest),
        (Removal.MAD, newest, typical),
    ):
        stay = set(after)
        removed |= {entry.entry_id: removal for entry in before if entry not in stay}
    return removed


def modified_z_scores(x: FloatArray) -> FloatArray:
    """Return how many robust standard deviations each of x (n,) lies above the median.

    0.6745·(x - median)/MAD, MAD being the median absolute deviation (Iglewicz and Hoaglin, *How to
    Detect and Handle Outliers*, 1993). Where over half of the values are the same the MAD is zero;
    the mean absolute deviation stands in then, (x - median)/(1.253314·meanAD); both factors make
    the score a z-score for normal data. All values the same: all zero.

    >>> modified_z_scores(np.float32([1, 2, 3, 4, 10]))
    array([-1.349 , -0.6745,  0.    ,  0.6745,  4.7215], dtype=float32)
    """
    if x.ndim != 1 or x.size == 0 or not np.isfinite(x).all():
        raise ValueError("expected a finite array of shape (n,) with n >= 1")
    deviation = x - np.median(x.astype(np.float64))
    mad = np.median(np.abs(deviation))
    mean_ad = np.abs(deviation).mean()
    if mad > 0:
        scores = 0.6745 * deviation / mad
    elif mean_ad > 0:
        scores = deviation / (1.253314 * mean_ad)
    else:
        scores = deviation
    with np.errstate(over="ignore"):  # beyond float32 is infinitely far
        return np.asarray(scores, dtype=np.float32)


def _typical(entries: Sequence[Held], rule: RetentionRule) -> Sequence[Held]:
    """Return the entries that lie not too *far* from the median embedding; near is never odd."""
    if rule.mad_cutoff is None or len(entries) < rule.mad_min:
        return entries
    vectors = np.stack([entry.vector for entry in entries])
    median = np.median(vectors, axis=0).astype(np.float32)
    scores = modified_z_scores(np.linalg.norm(vectors - median, axis=1))
    return [entry for entry, z in zip(entries, scores, strict=True) if z <= rule.mad_cutoff]
