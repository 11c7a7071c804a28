from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.fitted_variable import fit_variable
from recognition.saliency import Saliency, basis, centred, explained, saliency, shuffles
from recognition.value_groups import NONE, group_values
from recognition.variable import Kind, Variable

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    x: Float64
    who: list[int]
    names: list[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A few identities, each with all names twice and perhaps more of one of them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    identities, names = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    more = draw(st.lists(st.integers(0, names - 1), max_size=5))
    who, named = [], []
    for one in range(identities):
        own = [*range(names), *range(names), *more]
        who += [one] * len(own)
        named += own
    d = draw(st.integers(1, 6))
    shift = draw(st.floats(0, 3)) * rng.normal(size=(names, d))
    x = rng.normal(size=(len(who), d)) + shift[named] + 4 * rng.normal(size=(identities, d))[who]
    return Case(x, who, named)


def look(case: Case, *, prefix: str = "n") -> Saliency:
    names = [f"{prefix}{name}" for name in case.names]
    variable = fit_variable("x", names, Kind.NOMINAL)
    labels = [f"id{one}" for one in case.who]
    return saliency(case.x.astype(np.float32), labels, variable, names, permutations=99)


def same(one: Saliency, other: Saliency) -> None:
    for a, b in ((one.shift, other.shift), (one.spread, other.spread)):
        assert a is not None
        assert b is not None
        assert a.share == pytest.approx(b.share, abs=1e-4)
        assert a.by_chance == pytest.approx(b.by_chance, abs=1e-3)
        assert a.p == pytest.approx(b.p, abs=0.021)  # a tie may be broken by rounding
    assert one.between == pytest.approx(other.between)
    assert one.varying == other.varying


@given(cases())
def test_shares_are_what_nested_least_squares_give(case: Case) -> None:
    who, names = np.eye(max(case.who) + 1)[case.who], np.eye(max(case.names) + 1)[case.names]

    def left(design: Float64) -> float:
        fitted = design @ np.linalg.lstsq(design, case.x, rcond=None)[0]
        return float(np.square(case.x - fitted).sum())

    found = look(case).shift
    assert found is not None
    expected = 1 - left(np.hstack([who, names])) / left(who)
    assert found.share == pytest.approx(expected, abs=1e-5)
    assert 0 <= found.by_chance <= 1
    assert 0.01 <= found.p <= 1


@given(cases(), st.integers(0, 99), st.floats(0.1, 10))
def test_turning_moving_and_scaling_the_space_changes_nothing(
    case: Case, seed: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(case.x.shape[1],) * 2))[0]
    moved = scale * case.x @ turn + rng.normal(size=case.x.shape[1])
    same(look(case), look(Case(moved, case.who, case.names)))


@given(cases(), st.integers(0, 99))
def test_where_the_identities_lie_changes_nothing(case: Case, seed: int) -> None:
    places = np.random.default_rng(seed).normal(size=(max(case.who) + 1, case.x.shape[1]))
    same(look(case), look(Case(case.x + 3 * places[case.who], case.who, case.names)))


@given(cases(), st.data())
def test_what_values_and_identities_are_called_changes_nothing(
    case: Case, data: st.DataObject
) -> None:
    names = data.draw(st.permutations(range(max(case.names) + 1)))
    renamed = Case(case.x, case.who, [names[name] for name in case.names])
    same(look(case), look(renamed, prefix="other"))


@given(cases())
def test_a_number_in_another_unit_is_the_same_number(case: Case) -> None:
    labels = [f"id{one}" for one in case.who]
    numbers = np.random.default_rng(len(labels)).normal(size=len(labels))

    def look_at(values: list[float]) -> Saliency:
        variable = fit_variable("x", values, Kind.CONTINUOUS)
        return saliency(case.x.astype(np.float32), labels, variable, values, permutations=99)

    # A power of two, so that rounding moves no number across the edge of a group.
    same(look_at(numbers.tolist()), look_at((4 * numbers).tolist()))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(0, 99))
def test_a_shuffle_moves_rows_within_their_identity_only(who: list[int], seed: int) -> None:
    codes = np.array(who, dtype=np.intp)
    for order in shuffles(codes, 3, np.random.default_rng(seed)):
        assert sorted(order.tolist()) == list(range(len(who)))
        assert (codes[order] == codes).all()


@given(cases(), st.integers(0, 99))
def test_shuffling_centred_columns_is_centring_shuffled_ones(case: Case, seed: int) -> None:
    who = np.array(case.who, dtype=np.intp)
    design = np.eye(max(case.names) + 1)[case.names]
    (order,) = shuffles(who, 1, np.random.default_rng(seed))
    responses = centred(case.x, who)
    found = explained(responses, basis(centred(design, who)), order[None])
    again = explained(responses, basis(centred(design[order], who)), order[None])
    assert found.by_chance == pytest.approx(again.share)
    for identity in set(case.who):
        assert np.abs(responses[who == identity].mean(axis=0)).max() < 1e-12


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=60))
def test_numbers_that_differ_are_in_groups_that_follow_their_order(
    values: list[float | None],
) -> None:
    groups = group_values(Variable("x", Kind.CONTINUOUS), values)
    known = [(v, code) for v, code in zip(values, groups.codes, strict=True) if v is not None]
    assert all(c == NONE for v, c in zip(values, groups.codes, strict=True) if v is None)
    codes = [code for _, code in sorted(known)]
    assert codes == sorted(codes)
    assert set(codes) == set(range(len(groups.names)))
    assert len(groups.names) <= 4
    assert (len(groups.names) > 1) == (len({v for v, _ in known}) > 1)
