from client.follow import OutcomeKind
from infra.demo.ledger import Ended, FrameVerdict, verdict
from infra.demo.picture import album, spread
from tests.unit.demo_events import frame, outcome


def ended(
    order: int,
    kind: OutcomeKind = "identified",
    label: str = "oak",
    identity: str = "oak",
    **facts: str,
) -> Ended:
    said = outcome(order, kind, identity)
    return Ended(order, frame(order, label, **facts), said, verdict(label, said))


def orders(row: list[Ended]) -> list[int]:
    return [item.order for item in row]


def test_a_row_starts_with_the_first_sight() -> None:
    assert orders(spread([ended(n) for n in range(8)], 4)) == [0, 2, 4, 6]


def test_a_row_shows_conditions_that_differ() -> None:
    seasons = ["spring", "spring", "spring", "winter", "winter", "summer", "summer", "autumn"]
    row = [ended(n, season=season) for n, season in enumerate(seasons)]
    assert orders(spread(row, 4)) == [0, 3, 5, 7]


def test_a_mistake_is_shown() -> None:
    row = [ended(n, season="spring" if n < 6 else "winter") for n in range(8)]
    row[5] = ended(5, identity="elm", season="spring")
    assert orders(spread(row, 4)) == [0, 2, 5, 6]


def test_a_short_row_shows_all_it_has() -> None:
    assert orders(spread([ended(0), ended(1)], 4)) == [0, 1]


def test_the_most_varied_identities_are_shown_and_one_that_was_mistaken() -> None:
    history = [
        ended(4 * n + i, label=label, identity=label, season="spring" if n < same else f"s{n}")
        for i, (label, same) in enumerate([("ash", 0), ("elm", 2), ("fir", 3), ("oak", 9)])
        for n in range(4)
    ]
    assert [row[0].frame.label for row in album(history, rows=3)] == ["ash", "elm", "fir"]
    mistake = ended(99, label="oak", identity="ash", season="spring")
    rows = album([*history, mistake], rows=3)
    assert [row[0].frame.label for row in rows] == ["ash", "elm", "oak"]
    assert [item.order for item in rows[2] if item.verdict is FrameVerdict.WRONG] == [99]


def test_nothing_to_show() -> None:
    assert album([]) == []
