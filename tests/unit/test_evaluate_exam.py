"""A herd on a circle: every figure can be checked by looking at the angles."""

import math

import numpy as np
import pytest

from lab.evaluate.exam import Exam, ModelVariant, VariantResult
from lab.evaluate.scored import OperatingTarget, Rule
from lab.evaluate.summary import Embedder, summarise
from recognition.distance import FloatArray
from recognition.paper_distances import Distance
from recognition.protocol import Part, Split
from recognition.tail import open_set_threshold
from recognition.value_groups import Groups
from schemas.errors import SetupError
from tests.unit.angles import at_angles, split, trial

HERD = (
    ("a", 0.0), ("b", 90.0),  # the test's gallery
    ("a", 10.0), ("a", 50.0), ("b", 80.0), ("b", 100.0),  # its known probes; one lies nearer to b
    ("x", 20.0), ("y", 120.0),  # and its unknown ones
    ("c", 0.0), ("c", 5.0), ("z", 15.0),  # calibrate: the impostor is 15 degrees away
    ("w", 200.0),  # in the gallery as well, and far from all of them
)  # fmt: skip
LABELS = [label for label, _ in HERD]
ANGLES = [angle for _, angle in HERD]
PARTS = {
    Part.TEST: trial([0, 1, 11], [2, 3, 4, 5, 6, 7]),
    Part.CALIBRATE: trial([8], [9, 10]),
}


def cosine(degrees: float) -> float:
    return 1 - math.cos(math.radians(degrees))


def variant(angles: list[float], name: str = "round") -> ModelVariant:
    vectors = at_angles(angles)
    return ModelVariant(name, lambda _: vectors)


def assess(
    *variants: ModelVariant, splits: tuple[Split, ...] = (split(PARTS),), **options: object
) -> tuple[Exam, list[VariantResult]]:
    exam = Exam(LABELS, splits, fpirs=[0.5], draws=50, **options)  # type: ignore[arg-type]
    return exam, [exam.assess(one) for one in variants]


def test_the_measures_are_those_of_the_angles() -> None:
    _, (done,) = assess(variant(ANGLES))
    tested = done.trials["mixed"][0]
    values = {name: measured.value for name, measured in tested.measures.items()}
    assert values["rank1"] == 3 / 4
    assert values["map"] == pytest.approx((1 + 1 / 2 + 1 + 1) / 4)
    # Known at 10, 40, 10 and 10 degrees from the gallery, unknown at 20 and 30.
    assert values["auroc"] == 6 / 8
    # The oracle may accept the one at 20 degrees, and stops below 30.
    assert values["tpir@0.5/oracle"] == 3 / 4
    assert values["fpir@0.5/oracle"] == 1 / 2
    # The calibrate part stops below 15 degrees.
    assert values["fpir@0.5/honest"] == 0
    assert values["review@0.5/honest"] == 3 / 6
    assert tested.gallery == 3


def test_the_thresholds_of_the_three_rules() -> None:
    _, (done,) = assess(variant(ANGLES))
    thresholds = done.trials["mixed"][0].thresholds
    assert thresholds[OperatingTarget(0.5, Rule.ORACLE)] == pytest.approx(cosine(30), abs=1e-6)
    assert thresholds[OperatingTarget(0.5, Rule.HONEST)] == pytest.approx(cosine(15), abs=1e-6)
    # The entries among themselves: a and b are each other's nearest, and b is that of w.
    gallery = [cosine(90), cosine(90), cosine(110)], ["a", "b", "w"]
    expected = open_set_threshold(*gallery, 0.5)
    assert thresholds[OperatingTarget(0.5, Rule.GALLERY)] == pytest.approx(expected, abs=1e-6)
    assert cosine(15) - 1e-6 < thresholds[OperatingTarget(0.5, Rule.HONEST)] < cosine(15) + 1e-6


def test_what_cannot_be_measured_is_null() -> None:
    only_test = split({Part.TEST: trial([0], [2, 3])})
    exam, (done,) = assess(variant(ANGLES), splits=(only_test,))
    report = summarise(exam, [done], data="herd", images=12, refused={}, embedders={})
    measured = report.variants[0].scenarios["mixed"]
    assert measured.measures["rank1"].mean == 1
    for name in ("auroc", "tpir@0.5/oracle", "tpir@0.5/honest", "fpir@0.5/honest"):
        assert measured.measures[name].mean is None
    assert measured.sizes[0].thresholds == dict.fromkeys(
        ("0.5/oracle", "0.5/honest", "0.5/gallery")
    )
    assert "NaN" not in report.model_dump_json()


def test_an_image_without_an_embedding_is_left_out() -> None:
    lost = at_angles(ANGLES)
    lost[[3, 7]] = np.nan
    _, (done,) = assess(ModelVariant("lossy", lambda _: lost))
    tested = done.trials["mixed"][0]
    assert tested.scored.rows.tolist() == [2, 4, 5, 6]
    assert tested.measures["rank1"].value == 1


def test_every_split_may_have_its_own_embeddings() -> None:
    turned = ANGLES.copy()
    turned[3] = 40.0  # now nearer to a
    vectors = {0: at_angles(ANGLES), 4: at_angles(turned)}
    splits = (split(PARTS), split(PARTS, number=4))
    done: list[None] = []
    exam = Exam(LABELS, splits, fpirs=[0.5], draws=50)
    assessed = exam.assess(
        ModelVariant("two", lambda s: vectors[s.number]), lambda: done.append(None)
    )
    report = summarise(exam, [assessed], data="herd", images=12, refused={}, embedders={})
    rank1 = report.variants[0].scenarios["mixed"].measures["rank1"]
    assert [(each.split, each.value) for each in rank1.splits] == [(0, 0.75), (4, 1.0)]
    assert rank1.mean == 0.875
    assert rank1.spread == pytest.approx(np.std([0.75, 1], ddof=1))
    assert len(done) == 2


LIGHT = Groups(("day", "night", "dusk"), np.array([0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0]))


def test_a_breakdown_keeps_the_threshold_of_the_whole() -> None:
    exam, (done,) = assess(variant(ANGLES), by={"light": LIGHT})
    report = summarise(exam, [done], data="herd", images=12, refused={}, embedders={})
    day, night = report.variants[0].scenarios["mixed"].by["light"]
    assert (day.value, day.known, day.unknown) == ("day", 2, 1)
    assert (night.value, night.known, night.unknown) == ("night", 2, 1)
    assert (day.measures["rank1"].mean, night.measures["rank1"].mean) == (1, 0.5)
    assert day.measures["fpir@0.5/oracle"].mean == 1  # 20 degrees away
    assert night.measures["fpir@0.5/oracle"].mean == 0  # 30 degrees
    assert day.measures["rank1"].splits == ()


def test_the_difference_is_paired() -> None:
    better = ANGLES.copy()
    better[3] = 40.0
    exam, done = assess(variant(ANGLES), variant(better, "better"), variant(ANGLES, "same"))
    report = summarise(
        exam,
        done,
        data="herd",
        images=12,
        refused={},
        embedders={"same": Embedder({0: "m@1"}, None)},
    )
    better_one, same = report.differences
    assert (better_one.variant, better_one.baseline) == ("better", "round")
    gain = better_one.scenarios["mixed"]["rank1"]
    assert gain.mean == 0.25
    assert gain.low is not None
    assert gain.low >= 0  # whoever is drawn, it is never worse
    for estimate in same.scenarios["mixed"].values():
        assert estimate.mean == estimate.low == estimate.high == 0
    assert [one.models for one in report.variants] == [{}, {}, {0: "m@1"}]


def test_intervals_are_those_of_identities() -> None:
    exam, (done,) = assess(variant(ANGLES))
    report = summarise(exam, [done], data="herd", images=12, refused={}, embedders={})
    estimate = report.variants[0].scenarios["mixed"].measures["rank1"]
    # Drawn are a (one of two found), b (both), x and y: only a alone gives a half.
    assert (estimate.low, estimate.high) == (0.5, 1)
    assert report.draws == exam.draws == 50


def test_misuse() -> None:
    with pytest.raises(SetupError, match="no test part"):
        Exam(LABELS, [split({Part.CALIBRATE: PARTS[Part.CALIBRATE]})])
    unfitted = ModelVariant("few", lambda _: at_angles(ANGLES), Distance.MAHALANOBIS)
    with pytest.raises(SetupError, match="few, split 0: mahalanobis is fitted on"):
        assess(unfitted)
    nothing: FloatArray = np.full((len(HERD), 2), np.nan, dtype=np.float32)
    with pytest.raises(
        SetupError, match="empty, split 0: of 3 gallery images and 6 probes only 0 and 0"
    ):
        assess(ModelVariant("empty", lambda _: nothing))
