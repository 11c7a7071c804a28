"""The order of a simulation."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.images.manifest import ManifestRow
from lab.simulate.timeline import DAY, arrivals, timeline, untimed

NOON = datetime(2025, 4, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2025, 4, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def row(
    at: datetime | None = None,
    label: str = "oak",
    source: str | None = None,
    number: int = 0,
    **background: str | float,
) -> ManifestRow:
    name = f"{label}/{number:03d}"
    return ManifestRow(name, Path(name), label, at, source, background)


def herd(at: datetime | None, day: str | None = None) -> list[ManifestRow]:
    """Twelve images of each of five cows in one clip, in the order of a manifest: by cow."""
    date: dict[str, Any] = {} if day is None else {"date": day}
    return [
        row(at, f"cow{cow}", number=frame, clip="c", frame=frame, **date)
        for cow in range(5)
        for frame in range(12)
    ]


def test_a_clip_comes_in_the_order_of_its_frames_and_not_by_label() -> None:
    rows = herd(NOON)
    moments = timeline(rows, seed=0)
    assert [m.instant for m in moments] == [NOON + s * SECOND for s in range(12) for _ in range(5)]
    numbers = [rows[m.row].background["frame"] for m in moments]
    assert numbers == [frame for frame in range(12) for _ in range(5)]
    orders = {tuple(str(rows[m.row].label) for m in moments[at : at + 5]) for at in range(0, 60, 5)}
    assert len(orders) > 5, "who is in one picture comes in random order"


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(herd(NOON), id="clip with its start"),
        pytest.param(herd(None, "2025-04-01"), id="clip of a day"),
        pytest.param(herd(None), id="no time"),
        pytest.param([row(NOON, f"cow{n // 9}", number=n) for n in range(45)], id="one instant"),
        pytest.param(
            [*herd(NOON), *(row(label=f"open{n // 9}", number=n) for n in range(45))], id="mixed"
        ),
    ],
)
def test_the_order_of_the_manifest_leaves_no_trace(rows: list[ManifestRow]) -> None:
    """Manifests are sorted by label: frames of one instant must not come in that order."""
    shuffled = [rows[at] for at in np.random.default_rng(0).permutation(len(rows))]

    def order(given: Sequence[ManifestRow]) -> list[tuple[datetime | None, str]]:
        return [(moment.instant, given[moment.row].id) for moment in timeline(given, seed=1)]

    assert order(rows) == order(shuffled)
    repeats = sum(a == b for a, b in zip(*_labels_beside(rows), strict=True)) / len(rows)
    assert repeats < 0.45, "by label it would be .8 or more, by chance a fifth"


def _labels_beside(rows: Sequence[ManifestRow]) -> tuple[list[str | None], list[str | None]]:
    labels = [rows[moment.row].label for moment in timeline(rows, seed=1)]
    return labels[:-1], labels[1:]


def test_by_time_where_every_image_has_its_own() -> None:
    hours = (2, 1, 3, 0, 4)
    moments = timeline([row(NOON + timedelta(hours=h)) for h in hours], seed=0)
    assert [moment.row for moment in moments] == [3, 1, 0, 2, 4]
    assert [moment.instant for moment in moments] == [NOON + timedelta(hours=h) for h in range(5)]


def test_times_within_a_clip_hold() -> None:
    rows = [row(NOON + timedelta(minutes=m), clip="c", frame=9 - m, number=m) for m in (0, 2, 1)]
    rows.append(row(clip="c", frame=5, date="2025-04-01"))
    moments = timeline(rows, seed=0)
    own = {m.row: m.instant for m in moments}
    assert [own[at] for at in range(3)] == [rows[at].captured_at for at in range(3)]
    assert own[3] is not None
    assert MIDNIGHT <= own[3] < MIDNIGHT + DAY, "some moment of the day"


def test_a_date_alone_is_one_random_moment_of_that_day_for_each_clip() -> None:
    rows = [
        row(number=number, source=source, date="2025-04-01", clip=clip, frame=f"{number:04d}")
        for source in ("a", "b")
        for clip in range(20)
        for number in range(3)
    ]
    moments = timeline(rows, seed=3)
    starts: dict[int, datetime] = {}
    for at, moment in enumerate(sorted(moments, key=lambda m: m.row)):
        assert moment.instant is not None
        starts.setdefault(at // 3, moment.instant)
        assert moment.instant == starts[at // 3] + at % 3 * SECOND
    assert len(set(starts.values())) == 40, "clips of the same name and of two cameras are two"
    assert all(MIDNIGHT <= start < MIDNIGHT + DAY for start in starts.values())
    assert max(starts.values()) - min(starts.values()) > DAY / 2
    assert moments == timeline(rows, seed=3)
    assert moments != timeline(rows, seed=4)


def test_a_date_without_a_clip_is_a_random_moment_of_that_day() -> None:
    rows = [row(number=n, date="2025-04-01") for n in range(50)] + [row(NOON)]
    rows += [row(number=n, date="2025-03-31") for n in range(50)]
    moments = timeline(rows, seed=3)
    before, after = moments[:50], moments[50:]
    assert {moment.row for moment in before} == set(range(51, 101))
    assert 0 < [moment.row for moment in after].index(50) < 50, "spread over the day"


def test_frames_without_a_number_follow_in_random_order() -> None:
    rows = [row(NOON, clip="c", number=n) for n in range(30)]
    rows += [row(NOON, "ash", clip="c", frame=f) for f in (7, "nan")]
    rows += [row(NOON, clip="c", frame=3)]
    moments = timeline(rows, seed=0)
    assert [m.row for m in moments[:2]] == [32, 30]
    assert [m.instant for m in moments] == [NOON + s * SECOND for s in range(33)]
    assert [m.row for m in moments[2:]] != sorted(m.row for m in moments[2:])


def test_nothing_known_is_no_time_and_a_random_place_between_clips() -> None:
    clips = [
        row(NOON + timedelta(days=day), number=10 * day + frame, clip=str(day), frame=frame)
        for day in range(20)
        for frame in range(4)
    ]
    lost = [row(label=f"open{n // 10}", number=n, clip="x", frame=n) for n in range(40)]
    rows = [*clips, *lost]
    moments = timeline(rows, seed=0)
    assert [m.row for m in moments if m.instant is not None] == list(range(80))
    assert {m.row for m in moments if m.instant is None} == set(range(80, 120))
    came = [m.row for m in moments]
    assert all(came.index(4 * day + 3) - came.index(4 * day) == 3 for day in range(20)), "together"
    halves = Counter(at < 60 for at, m in enumerate(moments) if m.instant is None)
    assert min(halves.values()) > 8, "anywhere"
    places = [m.row for m in moments if m.instant is None]
    assert places != sorted(places)


def test_no_time_anywhere_is_a_random_order() -> None:
    rows = [row(number=n) for n in range(30)]
    moments = timeline(rows, seed=0)
    order = [moment.row for moment in moments]
    assert sorted(order) == list(range(30)) != order
    assert {moment.instant for moment in moments} == {None}
    assert order != [moment.row for moment in timeline(rows, seed=1)]


def test_what_has_no_time_arrives_after_the_one_before_it() -> None:
    rows = [row(NOON), row(number=1), row(number=2)]
    moments = timeline(rows, seed=0)
    came = arrivals(moments)
    assert came == sorted(set(came)), "one after the other"
    assert came[[m.row for m in moments].index(0)] == NOON
    assert len(set(arrivals(timeline(rows[1:], seed=0)))) == 2


def test_what_has_no_time_is_counted() -> None:
    dated = row(date="2025-04-01")
    assert untimed([row(NOON), row(NOON, date="2025-04-01"), dated, row(), row()]) == (1, 2)
    assert untimed([row(date="spring"), row(date=2025)]) == (0, 2), "no dates"
