"""The study of intervals, on a herd that night moves."""

import numpy as np
import pytest

from benchmarks.intervals import __main__ as intervals
from benchmarks.intervals.study import WAYS, Drawn, study_of
from recognition.bootstrap import Interval
from recognition.variable import Kind, Variable
from tests.unit.herds import herd

LIGHT = Variable("light", Kind.NOMINAL, ("day", "night"))


def test_a_draw_says_the_gain_of_each_way_over_the_one_before() -> None:
    study = study_of(herd("seen", 0, shift=8.0), herd("pool", 1, shift=8.0), [LIGHT])
    drawn = study.draw(8, np.random.default_rng(0))
    assert len(drawn) == len(WAYS) - 1
    for each in drawn:
        assert each.interval.low <= each.gain <= each.interval.high
        assert each.over_trials.low <= each.gain <= each.over_trials.high
    assert drawn[-1].gain > 0.2  # clusters, where night moves everything
    assert drawn[-1].truth > 0.2


def test_a_line_counts_what_was_held() -> None:
    hit = Drawn(0.1, 0.03, Interval(0.0, 0.2), Interval(0.09, 0.11), truth=0.15)
    miss = Drawn(0.3, 0.04, Interval(0.2, 0.4), Interval(0.29, 0.31), truth=0.1)
    line = intervals._line("herd", 8, [hit, miss])
    assert (line.held, line.held_before) == (0.5, 0)
    assert line.gain == pytest.approx(0.2)
    assert line.deviation == pytest.approx(0.02**0.5)
    assert line.error == pytest.approx(0.00125**0.5)
    assert intervals._cells(line)[1:] == ["8", "+0.200", "0.141", "0.035", "50%", "0%"]
    assert len(intervals.HEADER) == len(intervals._cells(line))
