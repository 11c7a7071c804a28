"""Fitting a conditioning to embeddings of which it is known what each variable does."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from lab.fit.fitting import MIN_WEIGHT, FitResult, fit_conditioning, steps, weight_of, weighted
from lab.fit.outcomes import (
    USUAL,
    TrialOutcome,
    _outcome,
    calibrate,
    expected,
    joined,
    outcomes,
    typical,
)
from recognition.background import Background, Encoder
from recognition.cluster_tails import ClusterTails
from recognition.clusters import everything
from recognition.conditioning import Conditioning, Impostors, conditioned, place
from recognition.findings import Explained, Saliency, VariableRole
from recognition.fit import TRIALS, Sample
from recognition.fitted_variable import fit_variable
from recognition.tail import fit_tail
from recognition.variable import Kind, Variable
from schemas.errors import SetupError
from tests.unit.angles import at_angles, trial

SHOTS, DIMENSIONS = 8, 12
SEASONS = ("summer", "winter")


@cache
def world(shift: float = 3.0, identities: int = 24) -> tuple[Sample, Sample]:
    """The season moves all embeddings, the lens does nothing, the breed is who somebody is."""
    rng = np.random.default_rng(0)
    n = identities * SHOTS
    who = np.repeat(np.arange(identities), SHOTS)
    season, lens = np.tile([0, 1], n // 2), rng.integers(0, 2, n)
    noise = rng.normal(size=(n, DIMENSIONS)) / 4
    embeddings = rng.normal(size=(identities, DIMENSIONS))[who] + noise
    embeddings[:, 0] += shift * season
    backgrounds: list[Background] = [
        {"season": SEASONS[s], "lens": f"l{one}", "breed": f"b{identity % 3}"}
        for s, one, identity in zip(season, lens, who, strict=True)
    ]

    def sample(at: np.ndarray) -> Sample:
        labels = np.array([f"id{identity}" for identity in who[at]], dtype=np.str_)
        return Sample(embeddings[at].astype(np.float32), labels, [backgrounds[i] for i in at])

    half = np.arange(n) < n // 2
    return sample(np.flatnonzero(half)), sample(np.flatnonzero(~half))


def variables(seen: Sample, held_out: Sample) -> list[Variable]:
    known = [*seen.backgrounds, *held_out.backgrounds]
    return [
        fit_variable(name, [background[name] for background in known])
        for name in ("lens", "season", "breed")
    ]


@cache
def fitted(shift: float = 3.0, fpir: float = 0.05) -> tuple[FitResult, tuple[str, ...]]:
    seen, held_out = world(shift)
    said: list[str] = []
    made = fit_conditioning(seen, held_out, variables(seen, held_out), fpir, said.append)
    return made, tuple(said)


def test_what_moves_the_embeddings_makes_the_clusters() -> None:
    made, said = fitted()
    roles = {one.variable: one.role for one in made.saliency}
    assert roles["lens"] is VariableRole.NOISE
    assert roles["breed"] is VariableRole.CONFOUNDED
    assert set(made.weights) == {"season"}
    season = next(one for one in made.saliency if one.variable == "season")
    assert season.shift is not None
    assert made.weights["season"] == pytest.approx(season.shift.excess)
    conditioning = made.fitted.conditioning
    assert conditioning.k == 2
    assert {d.partition(":")[0] for d in conditioning.clusters.descriptions} == set(SEASONS)
    (won,) = (ran for ran in made.fitted.results if ran.candidate == made.fitted.chosen)
    assert won.interval.low > 0
    assert said[:3] == ("looking at lens", "looking at season", "looking at breed")
    assert said[3] == "one cluster"
    assert said[-1] == "thresholds and probabilities"
    assert len(said) <= steps(variables(*world()))


def test_where_nothing_acts_there_is_one_cluster() -> None:
    made, said = fitted(0.0)
    assert made.weights == {}
    assert made.fitted.conditioning.k == 1
    assert made.fitted.conditioning.clusters.encoder == Encoder(())
    assert not any("clusters" in words for words in said)
    assert made.calibration is not None
    none = fit_conditioning(*world(0.0), [], 0.05)
    assert none.saliency == []
    assert none.fitted.chosen == made.fitted.chosen


def test_the_impostors_are_those_held_out_and_no_others() -> None:
    impostors = fitted()[0].fitted.conditioning.impostors
    held_out = world()[1]
    assert np.array_equal(impostors.identities, held_out.identities)


def test_what_is_promised_covers_what_was_asked_for() -> None:
    made, _ = fitted(fpir=0.02)
    assert [one.fpir for one in made.expected] == [0.001, 0.01, 0.02, 0.05]
    thresholds = [one.threshold for one in made.expected]
    assert thresholds == sorted(thresholds)
    for one in made.expected:
        assert 0 <= one.low <= one.fpir <= one.high
    assert [one.fpir for one in fitted()[0].expected] == list(USUAL)


def test_probabilities_hold_for_identities_that_the_map_did_not_see() -> None:
    made, _ = fitted()
    assert made.calibration is not None
    assert made.reliability is not None
    assert made.reliability.error < 0.08
    near, far = made.calibration.probabilities([0.2, 3.0], [1.0, 0.0])
    assert near > 0.9
    assert far < 0.2


def test_nobody_can_be_told_apart_by_a_model_that_says_nothing() -> None:
    seen, held_out = world()
    flat, other = (
        Sample(np.ones_like(each.embeddings), each.identities, each.backgrounds)
        for each in (seen, held_out)
    )
    with pytest.raises(SetupError, match="--model"):
        fit_conditioning(flat, other, variables(seen, held_out), 0.05)


@pytest.mark.parametrize("fpir", [0.0, 1.0, -0.1])
def test_an_fpir_is_a_share(fpir: float) -> None:
    with pytest.raises(ValueError, match="fpir"):
        fit_conditioning(*world(), [], fpir)


def found(role: VariableRole, shift: float | None, spread: float | None) -> Saliency:
    moved, wider = (
        None if each is None else Explained(each, 0.1, 0.01) for each in (shift, spread)
    )
    return Saliency("x", Kind.BINARY, ("a", "b"), 9, 3, 1.0, 0.0, moved, wider, None, None, role)


def test_a_variable_weighs_what_it_explains_beyond_chance() -> None:
    assert weight_of(found(VariableRole.SHIFTS, 0.3, 0.9)) == pytest.approx(0.2)
    assert weight_of(found(VariableRole.SHIFTS_AND_SPREADS, 0.3, 0.9)) == pytest.approx(0.2)
    assert weight_of(found(VariableRole.SPREADS, 0.11, 0.5)) == pytest.approx(0.01)
    assert weight_of(found(VariableRole.SPREADS, 0.1, 0.5)) == MIN_WEIGHT
    assert weight_of(found(VariableRole.NOISE, 0.3, 0.3)) is None
    assert weight_of(found(VariableRole.CONFOUNDED, None, None)) is None
    x = Variable("x", Kind.BINARY, ("a", "b"), spread=0.5)
    encoder = weighted([x], [found(VariableRole.SHIFTS, 0.3, 0.9)])
    assert encoder.variables[0].weight == pytest.approx(0.2)
    assert encoder.variables[0].spread == 0.5
    assert weighted([x], [found(VariableRole.NOISE, 0.3, 0.3)]) == Encoder(())


# By hand: the cosine distance at an angle a is 1 − cos a.
ANGLES, OWNERS = (0, 10, 90, 95, 30), ("a", "a", "b", "b", "c")


def by_hand(angles: Sequence[float] = ANGLES, owners: Sequence[str] = OWNERS) -> Conditioning:
    who, n = np.array(owners), len(angles)
    placed = place(at_angles(angles), np.zeros(n, np.intp), None, None)
    clusters = everything(n, Encoder(()))
    return Conditioning(clusters, None, None, np.ones((1, 1)), Impostors(placed, who))


def looked_up(gallery: Sequence[int], probes: Sequence[int]) -> TrialOutcome:
    conditioning = by_hand()
    placed = conditioning.impostors.placed
    matrix = conditioned(placed, placed, conditioning.levels)
    outcome = _outcome(matrix, conditioning, trial(gallery, probes))
    assert outcome is not None
    return outcome


def away(angle: float) -> float:
    return float(1 - np.cos(np.deg2rad(angle)))


def test_an_outcome_by_hand() -> None:
    outcome = looked_up([0, 2], [1, 3, 4])  # a at 0° and b at 90° are enrolled, c is a stranger
    assert outcome.entries == 2
    assert outcome.right.tolist() == [True, True, False]
    assert outcome.identities.tolist() == ["a", "b", "c"]
    expected_distances = [away(10), away(5), away(30)]
    assert outcome.distances == pytest.approx(expected_distances, abs=1e-6)
    others = [away(80), away(95), away(60)]
    assert outcome.margins == pytest.approx(np.subtract(others, expected_distances), abs=1e-6)
    # Everyone is a stranger to the others: a finds b at 90° or 80°, b finds a, c the nearer one.
    strangers = sorted([away(90), away(80), away(90), away(95), away(30)])
    assert outcome.tails.tail.values == pytest.approx(strangers, abs=1e-6)


def test_a_single_identity_has_no_next_and_no_strangers_of_its_own() -> None:
    outcome = looked_up([0], [1, 2, 4])
    assert np.isinf(outcome.margins).all()
    assert outcome.right.tolist() == [True, False, False]
    assert len(outcome.tails.tail.values) == 3  # b twice and c once


def test_a_gallery_that_all_are_equally_far_from_says_nothing() -> None:
    conditioning = by_hand((0, 0, 90, 90), ("a", "a", "b", "b"))
    placed = conditioning.impostors.placed
    matrix = conditioned(placed, placed, conditioning.levels)
    assert _outcome(matrix, conditioning, trial([0, 2], [1, 3])) is None


def test_answers_are_relative_to_the_threshold_and_only_above_zero() -> None:
    outcome = looked_up([0, 2], [1, 3, 4])
    answers = outcome.answers(0.3)
    tau = outcome.tails.thresholds(0.3)[0]
    assert answers.ratios == pytest.approx(outcome.distances / tau)
    assert answers.margins == pytest.approx(outcome.margins / tau)
    below = looked_up([0, 2], [1, 3, 4]).answers(1e-9)
    assert below.ratios.size == 0
    both = joined([answers, below, answers])
    assert both.identities.tolist() == ["a", "b", "c"] * 2


def test_galleries_are_drawn_of_all_conditions_and_of_one() -> None:
    made, _ = fitted()
    held_out = world()[1]
    tried = outcomes(made.fitted.conditioning, held_out)
    assert len(tried) == 2 * TRIALS
    wrong = np.mean([1 - outcome.right.mean() for outcome in tried])
    assert wrong > 0.4  # strangers are never right


def nearness(distances: Sequence[float]) -> TrialOutcome:
    """A gallery from which three strangers lie at these distances."""
    tail = fit_tail(distances, ["a", "b", "c"])
    assert tail is not None
    nobody = np.empty(0, np.float32)
    return TrialOutcome(
        entries=3,
        tails=ClusterTails(np.ones(2), tail),
        distances=nobody,
        margins=nobody,
        right=np.empty(0, np.bool_),
        clusters=np.empty(0, np.intp),
        identities=np.empty(0, np.str_),
    )


def test_the_typical_gallery_has_the_median_threshold() -> None:
    near, middle, far = (nearness([d, d + 0.1, d + 0.2]) for d in (0.3, 0.5, 0.9))
    assert typical([far, near, middle], 0.05) is middle
    assert typical([far, near], 0.05) is near


def test_an_expectation_is_the_mean_over_the_galleries() -> None:
    both = [nearness([0.3, 0.4, 0.5]), nearness([0.6, 0.7, 0.95])]
    (one, _, _) = expected(both, 0.05, 3)
    ends = [each.tails.interval(one.fpir, strangers=3) for each in both]
    assert (one.low, one.high) == pytest.approx(np.mean(ends, axis=0))
    taus = [each.tails.tail.threshold(one.fpir) for each in both]
    assert one.threshold == pytest.approx(np.mean(taus))


def test_more_strangers_make_the_interval_narrower() -> None:
    made, _ = fitted()
    tried = outcomes(made.fitted.conditioning, world()[1])[:4]
    few, many = (expected(tried, 0.05, n)[-1] for n in (3, 300))
    assert many.high - many.low < few.high - few.low


def test_without_a_threshold_there_is_nothing_to_calibrate() -> None:
    assert calibrate([looked_up([0, 2], [1, 3, 4])], 1e-9, 5) is None


def test_no_answer_is_surer_than_so_many_images_allow() -> None:
    made, _ = fitted()
    tried = outcomes(made.fitted.conditioning, world()[1])
    calibrated = calibrate(tried, 0.05, 8)
    assert calibrated is not None
    probability = calibrated[0].probability
    assert probability.min() >= 0.1
    assert probability.max() == pytest.approx(0.9)
