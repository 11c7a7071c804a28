import pytest

from client.follow import OutcomeKind
from infra.demo.ledger import FrameVerdict, Ledger, verdict
from tests.unit.demo_events import START, frame, outcome

IDENTIFIED: OutcomeKind = "identified"
REVIEW: OutcomeKind = "review"


def ledger(*kinds: tuple[OutcomeKind, str], total: int | None = None) -> Ledger:
    """A ledger in which frame i ended as ``kinds[i]`` says, as kind and identity."""
    book = Ledger(len(kinds) if total is None else total)
    for number, (kind, identity) in enumerate(kinds):
        book.published(frame(number), 0.5)
        book.ended(outcome(number, kind, identity))
    return book


@pytest.mark.parametrize(
    ("label", "kind", "identity", "expected"),
    [
        ("oak", "identified", "oak", FrameVerdict.RIGHT),
        ("oak", "identified", "elm", FrameVerdict.WRONG),
        (None, "identified", "oak", FrameVerdict.UNCHECKED),
        ("oak", "review", "", FrameVerdict.REVIEW),
        ("oak", "dead", "", FrameVerdict.DEAD),
    ],
)
def test_verdict(
    label: str | None, kind: OutcomeKind, identity: str, expected: FrameVerdict
) -> None:
    assert verdict(label, outcome(0, kind, identity)) is expected


def test_accuracy_counts_only_identified_frames_with_a_label() -> None:
    book = ledger(("identified", "oak"), ("identified", "elm"), ("review", ""), ("dead", ""))
    book.total = 5
    book.published(frame(9, label=None), 0.5)
    book.ended(outcome(9, "identified"))
    whole = book.whole()
    assert whole.accuracy == 0.5
    assert whole.identified == 3
    assert whole.review_share == 0.2


def test_nothing_identified_has_no_accuracy() -> None:
    assert ledger(("review", "")).whole().accuracy is None
    assert Ledger(4).whole().review_share is None


def test_quarters_follow_the_publishing_order_whatever_ends_first() -> None:
    book = Ledger(8)
    for number in range(8):
        book.published(frame(number), 0.5)
    kinds: list[OutcomeKind] = [REVIEW] * 3 + [IDENTIFIED] * 5
    for number in reversed(range(8)):
        book.ended(outcome(number, kinds[number]))
    assert [s.review_share for s in book.stretches(4)] == [1.0, 0.5, 0.0, 0.0]
    assert [ended.order for ended in book.history] == list(range(8))
    first = book.stretches(4)[0]
    assert (first.first, first.last) == (START, frame(1).captured_at)


def test_stretches_cover_every_frame_once_even_where_they_do_not_divide() -> None:
    book = ledger(*[(REVIEW, "")] * 10)
    assert [s.frames for s in book.stretches(4)] == [2, 3, 2, 3]
    assert sum(s.frames for s in book.stretches(48)) == 10


def test_a_frame_ends_once() -> None:
    book = ledger(("review", ""))
    assert book.ended(outcome(0, "identified")) is None
    assert book.whole().counts == {FrameVerdict.REVIEW: 1}


def test_strangers_are_not_counted() -> None:
    book = Ledger(1)
    assert book.ended(outcome(7, "identified")) is None
    assert book.whole().frames == 0


def test_all_have_ended_only_when_the_whole_plan_was_published() -> None:
    book = ledger(("review", ""), total=2)
    assert not book.all_ended
    book.published(frame(1), 0.5)
    assert not book.all_ended
    book.ended(outcome(1, "identified"))
    assert book.all_ended
