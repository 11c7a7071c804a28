from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import f_oneway, kstest

from recognition.findings import Explained
from recognition.fitted_variable import fit_variable
from recognition.predictability import Measure, read_names, read_numbers
from recognition.saliency import (
    Gain,
    GainOf,
    Saliency,
    VariableRole,
    basis,
    centred,
    explained,
    rank,
    saliency,
    shuffles,
)
from recognition.variable import Kind
from tests.unit.planted import Planted, planted

ROLES = {
    "season": VariableRole.SHIFTS,
    "hour": VariableRole.SHIFTS,
    "age": VariableRole.SHIFTS,
    "night": VariableRole.SPREADS,
    "wet": VariableRole.SHIFTS_AND_SPREADS,
    "lens": VariableRole.NOISE,
    "serial": VariableRole.NOISE,
    "breed": VariableRole.CONFOUNDED,
}


def look(data: Planted, name: str, gain: GainOf | None = None) -> Saliency:
    values = data.values[name]
    variable = (
        fit_variable(name, values, Kind.CYCLIC, period=24)
        if name == "hour"
        else fit_variable(name, values)
    )
    return saliency(data.embeddings, data.labels, variable, values, gain=gain)


def of(
    embeddings: Sequence[Sequence[float]] | NDArray[np.float64],
    labels: Sequence[str],
    values: Sequence[object],
) -> Saliency:
    """Look at a variable ``x`` with these values."""
    x = np.asarray(embeddings, dtype=np.float32)
    return saliency(x, labels, fit_variable("x", values), values)


@pytest.mark.parametrize("seed", range(6))
def test_each_planted_variable_is_named_for_what_it_is(seed: int) -> None:
    data = planted(seed)
    found = [look(data, name) for name in ROLES]
    assert {one.variable: one.role for one in found} == ROLES
    ranked = [one.variable for one in rank(found)]
    assert set(ranked[:5]) == {"season", "hour", "age", "night", "wet"}
    assert ranked[4] == "night"  # it acts, but shifts nothing
    assert ranked[-1] == "breed"


def test_what_was_planted_is_what_is_explained() -> None:
    # Within an identity: noise .5² · 24 by (1, 1.5)² and (1, 1.5)²; then the shifts.
    noise = 0.25 * 24 * ((1 + 1.5**2) / 2) ** 2
    season, wet, hour, age = 2.25 * 2 / 3, 2.25 / 4, 1.0, 1.0
    shares = {"season": season, "wet": wet, "hour": hour, "age": age, "night": 0, "serial": 0}
    for name, share in shares.items():
        shift = look(planted(0, identities=150), name).shift
        assert shift is not None
        assert shift.excess == pytest.approx(share / (noise + season + wet + hour + age), abs=0.012)


def test_what_is_known_of_a_variable() -> None:
    data = planted(1)
    found = look(data, "season")
    assert (found.kind, found.groups) == (Kind.NOMINAL, ("spring", "summer", "winter"))
    assert (found.images, found.identities, found.varying) == (360, 30, 1)
    assert found.between < 0.2
    assert found.read is not None
    assert found.read.measure is Measure.BALANCED_ACCURACY
    assert look(data, "breed").between == pytest.approx(1)
    assert look(data, "breed").varying == 0
    hour = look(data, "hour")
    assert hour.groups == ("0 to 6", "6 to 12", "12 to 18", "18 to 24")


def test_one_way_analysis_of_variance_by_hand() -> None:
    # Means 2 and 6 about 4: 16 of 20.
    found = of([[1], [3], [5], [7]], ["a"] * 4, ["s", "s", "w", "w"])
    assert found.shift is not None
    assert found.shift.share == pytest.approx(0.8)
    assert found.read is None  # there is no second identity to read it from
    # A third of the orders of two and two splits them as they are, or the other way round.
    assert found.shift.p == pytest.approx(1 / 3, abs=0.12)


def test_one_way_analysis_of_variance_with_a_third_group() -> None:
    rng = np.random.default_rng(0)
    x, names = rng.normal(size=(30, 1)), np.repeat(["s", "t", "w"], 10)
    x[names == "t"] += 1
    statistic = f_oneway(*(x[names == name].ravel() for name in "stw")).statistic
    found = of(x, ["a"] * 30, names.tolist())
    assert found.shift is not None
    # η² = F·(g − 1) / (F·(g − 1) + n − g)
    expected = 2 * statistic / (2 * statistic + 27)
    assert found.shift.share == pytest.approx(expected, rel=1e-5)


def test_p_values_are_uniform_where_nothing_acts() -> None:
    shifts, spreads = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        labels = np.repeat(["a", "b", "c", "d"], (4, 6, 7, 9))
        values = rng.permutation(np.repeat(["s", "w"], (8, 18)))
        found = of(rng.standard_t(5, (26, 3)), labels.tolist(), values.tolist())
        assert found.shift is not None
        assert found.spread is not None
        shifts.append(found.shift.p)
        spreads.append(found.spread.p)
    for ps in (shifts, spreads):
        assert kstest(ps, "uniform").pvalue > 0.01
        assert 0.01 < np.mean(np.array(ps) <= 0.05) < 0.1


def test_chance_is_what_the_degrees_of_freedom_explain() -> None:
    # Of n − g rows within identities, r columns of noise explain r / (n − g).
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(20), 10)
    columns = basis(centred(rng.normal(size=(200, 6)), who))
    responses = centred(rng.normal(size=(200, 4)), who)
    found = explained(responses, columns, shuffles(who, 199, rng))
    assert found.by_chance == pytest.approx(6 / 180, rel=0.05)
    assert found.excess == pytest.approx(found.share - found.by_chance)


@pytest.mark.parametrize("times", [1, 3])
def test_a_rare_value_is_no_spread(times: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        values = ["s"] * 20 + ["w"] * 19 + ["rare"] * times
        x = rng.normal(size=(len(values), 64))
        assert of(x, ["a"] * len(x), rng.permutation(values).tolist()).role is VariableRole.NOISE


def test_where_each_value_comes_once_nothing_is_left_to_spread() -> None:
    found = of([[0, 1], [1, 0], [0, 3], [2, 0]], ["a", "a", "b", "b"], ["s", "w", "w", "s"])
    assert found.spread is not None
    assert found.role is VariableRole.NOISE
    every = of([[0, 1], [1, 0], [5, 3]], ["a"] * 3, ["r", "s", "t"])
    assert every.spread == Explained(0, 0, 1)


def test_copies_of_an_image_are_no_effect() -> None:
    found = of([[1, 0]] * 8, ["a"] * 4 + ["b"] * 4, ["s", "w"] * 4)
    assert found.role is VariableRole.NOISE
    assert found.shift == found.spread == Explained(0, 0, 1)


def test_a_variable_that_varies_in_one_of_many_identities_is_confounded() -> None:
    rng = np.random.default_rng(0)
    labels = [f"id{i // 4}" for i in range(120)]
    values = ["s" if i // 4 % 2 else "w" for i in range(120)]
    values[0] = "s"
    found = of(rng.normal(size=(120, 3)), labels, values)
    assert found.varying == pytest.approx(4 / 120)
    assert found.role is VariableRole.CONFOUNDED
    assert found.shift is None


def test_a_variable_that_hardly_varies_in_any_identity_is_confounded() -> None:
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(20), 6)
    ages = 3 * who + rng.normal(size=120)
    found = of(rng.normal(size=(120, 3)), [f"id{i}" for i in who], ages.tolist())
    assert (found.varying, found.role) == (1, VariableRole.CONFOUNDED)
    assert found.between > 0.99


def test_missing_values_are_left_out_and_have_no_group() -> None:
    data = planted(2)
    values: list[str | float | None] = [
        None if i % 3 == 0 else value for i, value in enumerate(data.values["night"])
    ]
    asked: list[NDArray[np.intp]] = []

    def gain(codes: NDArray[np.intp]) -> Gain | None:
        asked.append(codes)
        return None

    found = look(Planted(data.embeddings, data.labels, {"night": values}), "night", gain)
    assert found.images == 240
    assert found.gain is None
    assert (asked[0][::3] == -1).all()
    assert set(asked[0].tolist()) == {-1, 0, 1}


def test_a_gain_decides_who_is_salient_and_the_order() -> None:
    data = planted(3)
    none = look(data, "season", lambda _: Gain(0.01, -0.02, 0.04, 0.3, 0.31))
    some = look(data, "night", lambda _: Gain(0.05, 0.02, 0.08, 0.3, 0.35))
    assert (none.salient, some.salient) == (False, True)
    assert [one.variable for one in rank([none, some])] == ["night", "season"]
    assert look(data, "season").salient
    assert not look(data, "lens").salient


def test_it_is_said_in_words() -> None:
    data = planted(4)
    said = {name: look(data, name).meaning for name in ROLES}
    assert said["season"].startswith("Moves the embeddings of an identity: ")
    assert said["night"].startswith("Changes how far an identity scatters: ")
    assert "and changes how far they scatter" in said["wet"]
    assert said["lens"].startswith("Leaves the embeddings of an identity as they are: ")
    assert "(100% of its variance lies between them)" in said["breed"]
    season = look(data, "season")
    sure = replace(season, gain=Gain(0.05, 0.02, 0.08, 0.3, 0.35)).meaning
    assert sure.endswith("TPIR goes from 0.300 to 0.350: +0.050 [+0.020, +0.080].")
    unsure = replace(season, gain=Gain(-0.01, -0.04, 0.02, 0.3, 0.29)).meaning
    assert unsure.endswith("-0.010 [-0.040, +0.020], which may be chance.")


def test_what_cannot_be_looked_at_is_refused() -> None:
    x, variable = np.eye(4, dtype=np.float32), fit_variable("x", ["s", "w"])
    values = ["s", "s", "w", "w"]
    with pytest.raises(ValueError, match="4 embeddings, 3 labels and 4 values"):
        saliency(x, ["a"] * 3, variable, values)
    with pytest.raises(ValueError, match="98 permutations; 99 at least"):
        saliency(x, ["a"] * 4, variable, values, permutations=98)
    for same in (["s"] * 4, [None] * 4):
        with pytest.raises(ValueError, match="x does not differ"):
            saliency(x, ["a"] * 4, variable, same)
    far = fit_variable("far", [0, 1, 2, 3])  # what lies far beyond is all alike to it
    with pytest.raises(ValueError, match="far does not differ"):
        saliency(x, ["a"] * 4, far, [100, 200, 300, 400])


def test_what_lies_in_the_space_is_read() -> None:
    rng = np.random.default_rng(0)
    who, names = np.repeat(np.arange(10), 8), rng.integers(0, 4, 80)
    names[names == 1] = 0  # a code that nothing has
    x = np.eye(4)[names] + 0.1 * rng.normal(size=(80, 4))
    told = read_names(x, names, who)
    assert told is not None
    assert told.linear == told.neighbours == 1
    assert told.chance == pytest.approx(1 / 3)
    angle = rng.uniform(0, 2 * np.pi, (80, 1))
    circle = np.hstack([np.cos(angle), np.sin(angle)])
    read = read_numbers(circle, circle, who)
    assert read is not None
    assert read.measure is Measure.R2
    assert read.linear > 0.7  # held back as it is
    assert read.neighbours > 0.7
    nothing = read_numbers(rng.normal(size=(80, 2)), circle, who)
    assert nothing is not None
    assert max(nothing.linear, nothing.neighbours) < 0.1


def test_rare_names_weigh_as_much_as_common_ones() -> None:
    rng = np.random.default_rng(1)
    names = np.repeat([0, 1], [190, 10])
    who = np.arange(200) % 10
    x = rng.normal(size=(200, 5))
    x[names == 1, 0] += 2.5
    told = read_names(x, names, who)
    assert told is not None
    assert told.linear > 0.7  # guessing the common one always: .5


def test_a_reader_never_sees_the_identity_that_it_reads() -> None:
    # Each identity lies elsewhere and has one name: nearest neighbours would tell it by who it is.
    who = np.repeat(np.arange(20), 5)
    names = np.random.default_rng(0).integers(0, 2, 20)[who]
    x = np.eye(20)[who]
    told = read_names(x, names, who)
    assert told is not None
    assert told.neighbours < 0.7
