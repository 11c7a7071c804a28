"""The order of a simulation."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from lab.images.manifest import ManifestRow
from lab.simulate.frames import DAY, timeline, untimed

NOON = datetime(2025, 4, 1, 12, tzinfo=UTC)


def row(at: datetime | None = None, date: str | float | None = None) -> ManifestRow:
    return ManifestRow("x", Path("x"), "oak", at, None, {} if date is None else {"date": date})


def test_by_time_and_within_an_instant_as_in_the_manifest() -> None:
    hours = (2, 1, 2, 0, 1)
    moments = timeline([row(NOON + timedelta(hours=h)) for h in hours], seed=0)
    assert [moment.row for moment in moments] == [3, 1, 4, 0, 2]
    assert [moment.instant for moment in moments] == [
        NOON + timedelta(hours=hours[moment.row]) for moment in moments
    ]


def test_a_date_alone_is_a_random_moment_of_that_day() -> None:
    rows = [row(date="2025-04-01")] * 50 + [row(NOON)] + [row(date="2025-03-31")] * 50
    moments = timeline(rows, seed=3)
    midnight = datetime(2025, 4, 1, tzinfo=UTC)
    before, after = moments[:50], moments[50:]
    assert {moment.row for moment in before} == set(range(51, 101))
    assert all(midnight - DAY <= moment.instant < midnight for moment in before)
    assert all(midnight <= moment.instant < midnight + DAY for moment in after)
    assert 0 < [moment.row for moment in after].index(50) < 50, "spread over the day"
    assert moments == timeline(rows, seed=3)
    assert moments != timeline(rows, seed=4)


def test_nothing_known_is_beside_another_image() -> None:
    instants = [NOON + timedelta(days=d) for d in range(20)]
    rows = [*map(row, instants), *[row()] * 40]
    moments = timeline(rows, seed=0)
    lost = [moment.instant for moment in moments if moment.row >= 20]
    assert len(lost) == 40
    assert set(lost) <= set(instants)
    assert len(set(lost)) > 10, "anywhere"


def test_no_time_anywhere_is_a_random_order_with_no_instant_twice() -> None:
    rows = [row()] * 30
    moments = timeline(rows, seed=0)
    order = [moment.row for moment in moments]
    assert sorted(order) == list(range(30)) != order
    assert len({moment.instant for moment in moments}) == 30
    assert order != [moment.row for moment in timeline(rows, seed=1)]


def test_what_has_no_time_is_counted() -> None:
    assert untimed([row(NOON), row(NOON, "2025-04-01"), row(date="2025-04-01"), row(), row()]) == (
        1,
        2,
    )
    assert untimed([row(date="spring"), row(date=2025)]) == (0, 2), "no dates"
