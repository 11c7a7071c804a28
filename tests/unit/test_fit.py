"""Fitting on herds in which night does what was planted."""

from collections.abc import Sequence

import numpy as np
import pytest

from recognition import fit as module
from recognition.background import Background, Encoder
from recognition.candidates import PLAIN, ConditioningCandidate, Standard
from recognition.clusters import everything, fit_clusters
from recognition.conditioning import Conditioning, place, spaced
from recognition.fit import FittedConditioning, Sample, condition, find_clusters, fit, fit_levels
from recognition.judge import judge
from recognition.statistics import fit_statistics
from recognition.trials import draw_trials
from tests.unit.herds import ENCODER, herd

FAR = 8.0
NOWHERE = np.full(160, -1)
SEEN, HELD_OUT = herd("seen", 0, shift=FAR), herd("held", 1, shift=FAR)


def fitted(seed: int, shift: float, counts: Sequence[int] = (1, 2)) -> FittedConditioning:
    return fit(
        ENCODER,
        herd("seen", 10 * seed, shift=shift),
        herd("held", 10 * seed + 1, shift=shift),
        counts=counts,
    )


def tpir(conditioning: Conditioning, sample: Sample) -> float:
    """Return the TPIR on a third sample, which neither made the conditioning nor chose it."""
    placed = conditioning.place(sample.embeddings, sample.backgrounds)
    trials = draw_trials(sample.identities.tolist(), sample.sessions)
    return float(judge(placed, conditioning.levels, sample.identities, trials, 0.05).mean)


def one_cluster(sample: Sample) -> Conditioning:
    return condition(PLAIN, everything(len(sample.backgrounds), ENCODER), sample, sample)


@pytest.mark.parametrize("seed", range(3))
def test_where_night_moves_everything_it_has_a_cluster_of_its_own(seed: int) -> None:
    found = fitted(seed, FAR)
    assert found.conditioning.k == found.chosen.k == 2
    assert found.chosen.standard is not Standard.NONE
    ran = {one.candidate: one for one in found.results}
    assert ran[found.chosen].interval.low > 0.2
    new = herd("new", 10 * seed + 2, shift=FAR)
    assert tpir(found.conditioning, new) > tpir(one_cluster(SEEN), new) + 0.3


def test_where_night_does_nothing_one_cluster_is_left() -> None:
    """By one standard error two may win now and then; it costs nothing where they do."""
    found = [fitted(seed, 0.0) for seed in range(6)]
    assert [one.conditioning.k for one in found].count(1) >= 4
    for seed, one in enumerate(found):
        new = herd("new", 10 * seed + 2, shift=0.0)
        assert tpir(one.conditioning, new) > tpir(one_cluster(SEEN), new) - 0.05


def test_the_race_has_everyone_in_it_beside_the_plain_distance() -> None:
    asked: list[ConditioningCandidate] = []
    found = fit(ENCODER, SEEN, HELD_OUT, counts=(1, 2), on_candidate=asked.append)
    assert [one.candidate for one in found.results] == asked
    assert asked[0] == PLAIN
    assert found.results[0].gain == 0
    assert len(asked) == 10
    assert found.chosen in asked
    for one in found.results:
        assert one.tpir == pytest.approx(found.results[0].tpir + one.gain)
        assert one.interval.low <= one.gain <= one.interval.high


def test_so_many_clusters_as_no_background_tells_apart_do_not_run() -> None:
    """One light only: every image lies in one cluster, however many are asked for."""
    by_day: list[Background] = [{"light": "day"}] * len(SEEN.backgrounds)
    samples = [Sample(each.embeddings, each.identities, by_day) for each in (SEEN, HELD_OUT)]
    found = fit(ENCODER, *samples, counts=(1, 2, 4))
    assert {one.candidate.k for one in found.results} == {1}
    assert found.conditioning.k == 1
    assert found.conditioning.clusters.sizes.tolist() == [320]


def test_half_of_the_trials_have_a_gallery_of_one_condition() -> None:
    lights = [None if i % 3 == 0 else b["light"] for i, b in enumerate(HELD_OUT.backgrounds)]
    some: list[Background] = [{"light": light} for light in lights]
    held_out = Sample(HELD_OUT.embeddings, HELD_OUT.identities, some)
    # Unlike are day and night, by √2; where one is missing nothing is known, and 1 is assumed.
    apart = np.array(
        [[1.0 if None in (a, b) else (a != b) * 2**0.5 for b in lights] for a in lights]
    )
    labels, placed = HELD_OUT.identities.tolist(), place(HELD_OUT.embeddings, NOWHERE, None, None)
    trials = [*draw_trials(labels), *draw_trials(labels, seed=1, apart=apart)]
    expected = judge(placed, np.ones((1, 1)), HELD_OUT.identities, trials, 0.05).whole
    assert fit(ENCODER, SEEN, held_out, counts=(1,)).results[0].tpir == expected.mean()
    assert expected[40:].mean() < expected[:40].mean()


def test_images_without_a_background_are_not_left_out() -> None:
    half: list[Background] = [{} if i % 3 == 0 else b for i, b in enumerate(SEEN.backgrounds)]
    samples = [Sample(each.embeddings, each.identities, half) for each in (SEEN, HELD_OUT)]
    found = fit(ENCODER, *samples, counts=(1, 2))
    assert found.conditioning.k == 2
    assert len(found.conditioning.impostors.placed) == len(half)
    assert (found.conditioning.impostors.placed.clusters == -1).sum() == 54


def test_sessions_keep_near_duplicates_apart() -> None:
    """All images of an identity and light are of one session, so a gallery has one of the two."""
    sessions = [str(background["light"]) for background in HELD_OUT.backgrounds]
    held_out = Sample(HELD_OUT.embeddings, HELD_OUT.identities, HELD_OUT.backgrounds, sessions)
    alone, kept = (
        fit(ENCODER, SEEN, each, counts=(1,)).results[0].tpir for each in (HELD_OUT, held_out)
    )
    assert kept < alone - 0.1


def test_too_few_are_held_out() -> None:
    few = Sample(HELD_OUT.embeddings[:8], HELD_OUT.identities[:8], HELD_OUT.backgrounds[:8])
    with pytest.raises(ValueError, match="1 identities"):
        fit(ENCODER, SEEN, few)


def test_clusters_are_those_of_all_backgrounds() -> None:
    assert find_clusters(ENCODER, SEEN, HELD_OUT, 1).sizes.tolist() == [320]
    found = find_clusters(ENCODER, SEEN, HELD_OUT, 2)
    expected = fit_clusters(ENCODER, [*SEEN.backgrounds, *HELD_OUT.backgrounds], 2)
    assert found.sizes.tolist() == [160, 160] == expected.sizes.tolist()
    assert found.descriptions == expected.descriptions
    assert len(find_clusters(Encoder(()), SEEN, HELD_OUT, 2)) == 1


@pytest.mark.parametrize("standard", Standard)
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("levelled", [False, True])
def test_a_conditioning_is_made_of_what_the_candidate_says(
    standard: Standard, scaled: bool, levelled: bool
) -> None:
    clusters = find_clusters(ENCODER, SEEN, HELD_OUT, 2)
    made = condition(ConditioningCandidate(2, standard, scaled, levelled), clusters, SEEN, HELD_OUT)
    groups = clusters.assign(SEEN.backgrounds).cluster
    unit = SEEN.embeddings / np.linalg.norm(SEEN.embeddings, axis=1, keepdims=True)
    statistics = None
    if standard is Standard.NONE:
        assert made.statistics is None
    else:
        centre = standard is Standard.CENTRE
        statistics = fit_statistics(unit, groups, 2, centre_only=centre)
        assert made.statistics is not None
        assert made.statistics.mean == pytest.approx(statistics.mean, abs=1e-6)
        assert made.statistics.scale == pytest.approx(statistics.scale, abs=1e-6)
    bare = place(unit, groups, statistics, None)
    assert (made.cohort is not None) is scaled
    if made.cohort is not None:
        assert made.cohort.vectors == pytest.approx(bare.vectors, abs=1e-5)
    levels = np.ones((2, 2))
    if levelled:
        apart = SEEN.identities[:, None] == SEEN.identities
        placed = place(unit, groups, statistics, made.cohort, apart)
        levels = fit_levels(placed, SEEN.identities, 2)
        assert levels.min() < 1
    assert made.levels == pytest.approx(levels, abs=1e-4)
    strangers = made.place(HELD_OUT.embeddings, HELD_OUT.backgrounds)
    assert np.array_equal(made.impostors.placed.vectors, strangers.vectors)
    assert np.array_equal(made.impostors.placed.scales, strangers.scales)
    assert np.array_equal(made.impostors.identities, HELD_OUT.identities)


def test_a_large_sample_gives_a_cohort_of_some(monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = ConditioningCandidate(2, Standard.CENTRE, scaled=True, levelled=True)
    clusters = find_clusters(ENCODER, SEEN, HELD_OUT, 2)
    whole = condition(candidate, clusters, SEEN, HELD_OUT).cohort
    monkeypatch.setattr(module, "MAX_COHORT", 33)
    some = condition(candidate, clusters, SEEN, HELD_OUT).cohort
    assert whole is not None
    assert some is not None
    assert len(whole.vectors) == 160
    assert some.vectors == pytest.approx(whole.vectors[spaced(160, 33)], abs=1e-6)


@pytest.mark.parametrize(
    ("n", "most", "expected"),
    [(0, 5, []), (1, 5, [0]), (3, 5, [0, 1, 2]), (9, 3, [0, 4, 8]), (9, 1, [0])],
)
def test_evenly_spaced(n: int, most: int, expected: list[int]) -> None:
    assert spaced(n, most).tolist() == expected
