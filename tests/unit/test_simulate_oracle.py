"""The person in a simulation."""

from collections import Counter

import numpy as np

from lab.simulate.oracle import Oracle
from schemas.recognition_event import ReviewItem, ReviewReason
from tests.gallery_entries import CAPTURED, MODEL

LABELS = {f"e{n}": f"p{n % 5}" for n in range(400)}
EVERYBODY = [f"p{n}" for n in range(5)]


def item(event_id: str) -> ReviewItem:
    return ReviewItem(
        event_id=event_id,
        source="cam",
        captured_at=CAPTURED,
        background={},
        cluster=None,
        model=MODEL,
        conditioning=None,
        gallery_position=-1,
        reason=ReviewReason.GALLERY_EMPTY,
        vector=np.ones(1, np.float32),
    )


def oracle(wrong: float = 0.0, delay: int = 0, seed: int = 0) -> Oracle:
    return Oracle(LABELS, wrong=wrong, delay=delay, seed=seed)


def says(one: Oracle, enrolled: list[str]) -> dict[str, str | None]:
    for event_id in LABELS:
        one.ask(item(event_id), 0)
    return {answer.item.event_id: answer.identity for answer in one.answers(1, enrolled)}


def test_answers_come_in_order_after_so_many_frames() -> None:
    one = oracle(delay=2)
    one.ask(item("e0"), 0)
    assert one.answers(1, []) == one.answers(2, []) == []
    one.ask(item("e2"), 2)
    (first,) = one.answers(3, [])
    assert (first.item, first.identity, first.actor) == (item("e0"), "p0", "oracle")
    one.ask(item("e3"), 3)
    assert [answer.identity for answer in one.answers(6, [])] == ["p2", "p3"]
    assert one.answers(7, []) == []
    at_once = oracle(delay=0)
    at_once.ask(item("e0"), 7)
    assert at_once.answers(7, []) == []
    assert len(at_once.answers(8, [])) == 1


def test_the_rest_comes_however_long_it_takes() -> None:
    one = oracle(delay=20)
    assert one.rest([]) == []
    for frame, event_id in enumerate(("e0", "e2", "e3")):
        one.ask(item(event_id), frame)
    assert [answer.identity for answer in one.answers(21, [])] == ["p0"]
    assert [answer.identity for answer in one.rest([])] == ["p2", "p3"]
    assert one.rest([]) == []


def test_a_share_of_them_is_wrong_and_names_anybody_who_is_enrolled() -> None:
    answers = says(oracle(wrong=0.3), EVERYBODY)
    wrong = [identity for event_id, identity in answers.items() if identity != LABELS[event_id]]
    assert 0.2 < len(wrong) / len(LABELS) < 0.4
    assert Counter(wrong).keys() == set(EVERYBODY)
    assert min(Counter(wrong).values()) > 10


def test_nobody_is_mistaken_for_one_who_is_not_there() -> None:
    assert says(oracle(wrong=1.0), []) == LABELS
    alone = says(oracle(wrong=1.0), ["p0"])
    assert set(alone.values()) == {"p0"}


def test_the_same_frames_are_answered_wrongly_and_more_of_them_with_a_larger_share() -> None:
    def wrong(share: float, seed: int = 0) -> set[str]:
        answers = says(oracle(share, seed=seed), EVERYBODY)
        return {event_id for event_id, said in answers.items() if said != LABELS[event_id]}

    assert wrong(0.0) == set()
    assert wrong(0.1) == wrong(0.1) < wrong(0.3) < wrong(1.0) == LABELS.keys()
    assert wrong(0.1) != wrong(0.1, seed=1)
