"""Expected values by hand: six probes on a line of distances."""

import math

import numpy as np
import pytest

from recognition.evaluation import (
    Identified,
    at_threshold,
    auroc,
    average_precision,
    identify,
    mean,
    rank1,
    tpir_at_fpir,
)


def found(*probes: tuple[float, bool, bool]) -> Identified:
    distance, right, known = zip(*probes, strict=True)
    label = [str(i) for i in range(len(probes))]
    return Identified(np.array(distance), np.array(right), np.array(known), np.array(label))


SIX = found(
    (0.1, True, True),
    (0.2, False, True),
    (0.3, False, False),
    (0.4, True, True),
    (0.5, False, False),
    (0.6, True, True),
)


def test_a_probe_is_of_the_nearest_entry() -> None:
    distances = [[0.3, 0.2, 0.9], [0.5, 0.1, 0.1], [0.4, 0.6, 0.7]]
    looked_up = identify(distances, ["ox", "cow", "elk"], ["cow", "elk", "gnu"])
    assert looked_up.distance.tolist() == [0.2, 0.1, 0.4]
    assert looked_up.right.tolist() == [True, False, False]  # of equally near ones the first
    assert looked_up.known.tolist() == [True, True, False]
    assert looked_up.label.tolist() == ["cow", "elk", "gnu"]
    assert len(looked_up) == 3


def test_take_by_index_and_by_mask() -> None:
    assert SIX.take(np.array([5, 0, 0])).distance.tolist() == [0.6, 0.1, 0.1]
    assert SIX.take(~SIX.known).label.tolist() == ["2", "4"]


@pytest.mark.parametrize(
    ("threshold", "tpir", "fpir", "review"),
    [
        (0.05, 0, 0, 1),
        (0.1, 1 / 4, 0, 5 / 6),  # at the threshold counts as within
        (0.2, 1 / 4, 0, 4 / 6),  # a known probe under a wrong name is no true positive
        (0.45, 2 / 4, 1 / 2, 2 / 6),
        (9.0, 3 / 4, 1, 0),
    ],
)
def test_at_a_threshold(threshold: float, tpir: float, fpir: float, review: float) -> None:
    point = at_threshold(SIX, threshold)
    assert (point.threshold, point.tpir, point.fpir) == (threshold, tpir, fpir)
    assert point.review == pytest.approx(review)


@pytest.mark.parametrize(
    ("fpir", "tpir", "met"),
    [(0, 1 / 4, 0), (0.49, 1 / 4, 0), (0.5, 2 / 4, 1 / 2), (0.99, 2 / 4, 1 / 2)],
)
def test_the_oracle_keeps_the_fpir(fpir: float, tpir: float, met: float) -> None:
    point = tpir_at_fpir(SIX, fpir)
    assert (point.tpir, point.fpir) == (tpir, met)
    assert point.threshold == np.nextafter(0.3 if met == 0 else 0.5, 0)


def test_impostors_that_tie_are_all_rejected() -> None:
    tied = found((0.3, False, False), (0.3, False, False), (0.3, True, True), (0.2, True, True))
    point = tpir_at_fpir(tied, 0.5)
    assert (point.tpir, point.fpir) == (0.5, 0)


def test_rank1_and_auroc() -> None:
    assert rank1(SIX) == 3 / 4
    # Of 4 x 2 pairs the known probe is nearer in 2 + 2 + 1 + 0.
    assert auroc(SIX) == 5 / 8


def test_a_tie_counts_half() -> None:
    assert auroc(found((0.5, True, True), (0.5, False, False))) == 0.5


def test_average_precision() -> None:
    # Its own at ranks 1 and 3; the second probe's at rank 2; the third has none.
    distances = [[0.1, 0.2, 0.3, 0.4], [0.3, 0.1, 0.4, 0.2], [0.1, 0.2, 0.3, 0.4]]
    gallery, probes = ["a", "b", "a", "c"], ["a", "c", "z"]
    precision = average_precision(distances, gallery, probes)
    assert precision[:2].tolist() == pytest.approx([(1 + 2 / 3) / 2, 1 / 2])
    assert math.isnan(precision[2])


def test_equal_distances_are_one_step_of_the_ranking() -> None:
    precision = average_precision([[0.5, 0.5, 0.5]], ["a", "b", "b"], ["b"])
    assert precision.tolist() == pytest.approx([2 / 3])


def test_where_there_is_nothing_to_measure_it_is_nan() -> None:
    only_known = SIX.take(SIX.known)
    only_unknown = SIX.take(~SIX.known)
    assert math.isnan(rank1(only_unknown))
    assert math.isnan(auroc(only_known))
    assert math.isnan(auroc(only_unknown))
    assert math.isnan(tpir_at_fpir(only_known, 0.1).tpir)
    assert math.isnan(at_threshold(only_unknown, 0.1).tpir)
    assert math.isnan(at_threshold(SIX.take(np.array([], dtype=np.intp)), 0.1).review)
    assert math.isnan(mean(np.array([np.nan])))
    assert math.isnan(average_precision([[0.5]], ["a"], ["z"]).item())


@pytest.mark.parametrize("fpir", [-0.01, 1, math.nan])
def test_an_fpir_is_a_share(fpir: float) -> None:
    with pytest.raises(ValueError, match="fpir must be"):
        tpir_at_fpir(SIX, fpir)


@pytest.mark.parametrize(
    ("distances", "gallery", "why"),
    [
        (np.zeros((1, 0)), [], "one entry or more"),
        ([[0.1, 0.2]], ["a"], r"\(1, 1\)"),
        ([0.1], ["a"], r"got \(1,\)"),
        ([[math.nan]], ["a"], "NaN"),
    ],
)
def test_distances_must_fit(distances: object, gallery: list[str], why: str) -> None:
    for look_up in (identify, average_precision):
        with pytest.raises(ValueError, match=why):
            look_up(distances, gallery, ["a"])  # type: ignore[arg-type]
