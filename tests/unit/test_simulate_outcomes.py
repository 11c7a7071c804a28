"""What becomes of frames, counted by hand."""

import numpy as np

from lab.simulate.summary import MIN_FRAMES, by_decisions, by_quarter, share, trailing
from lab.simulate.system import Outcomes


def flags(text: str) -> np.ndarray:
    return np.array([letter == "x" for letter in text])


def test_what_is_not_reviewed_is_identified_and_what_is_not_right_then_is_wrong() -> None:
    outcomes = Outcomes(flags("xx....."), flags("..xx..."), flags("x...x.."), flags("x......"))
    assert outcomes.identified.tolist() == flags("..xxxxx").tolist()
    assert outcomes.wrong.tolist() == flags("....xxx").tolist()
    assert outcomes.settled.tolist() == flags("x.xx...").tolist()


def test_what_decisions_brought_is_counted_over_all_frames() -> None:
    outcomes = Outcomes(flags("xx..x"), flags("..x.."), flags("....."), flags("x...x"))
    curve = by_decisions(outcomes)
    assert curve.decisions == (0, 1, 2, 2, 2, 3)
    assert np.allclose(curve.right, [0, 0.2, 0.2, 0.4, 0.4, 0.6])


def test_a_curve_of_many_frames_has_fewer_points_and_ends_where_they_do() -> None:
    everybody, nobody = np.ones(1000, np.bool_), np.zeros(1000, np.bool_)
    curve = by_decisions(Outcomes(everybody, nobody, nobody, everybody))
    assert len(curve.decisions) == len(curve.right) == 201
    assert (curve.decisions[-1], curve.right[-1]) == (1000, 1.0)


def test_a_share_is_of_those_it_is_asked_of() -> None:
    assert share(flags("xx.x"), flags("x.xx")) == 2 / 3
    assert share(flags("x"), flags(".")) is None
    assert share(flags("x."), flags("xx"), least=3) is None
    assert share(flags("x.."), flags("xxx"), least=3) == 1 / 3


def test_quarters_are_of_frames_not_of_those_counted() -> None:
    assert by_quarter(flags("xx.x...x"), flags("xxx...xx")) == (1.0, 0.0, None, 0.5)


def test_trailing_shares_end_before_each_point() -> None:
    counted, among = flags("x.x.x"), flags("xxxxx")
    assert trailing(counted, among, 2, [1, 2, 3, 5]) == (None, 0.5, 0.5, 0.5)
    assert trailing(counted, flags("xxx.."), 3, [3, 5]) == (2 / 3, None)


def test_a_point_needs_enough_frames_below_it() -> None:
    counted = np.ones(100, np.bool_)
    among = np.zeros(100, np.bool_)
    among[: MIN_FRAMES - 1] = True
    assert trailing(counted, among, 50, [50]) == (None,)
    among[MIN_FRAMES] = True
    assert trailing(counted, among, 50, [50]) == (1.0,)
