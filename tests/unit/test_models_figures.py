"""What a model card keeps of an evaluation."""

from datetime import UTC, datetime

import pytest

from lab.cards.figures import ModelFigures, figures_of
from lab.evaluate.report import Estimate, Evaluation, Mean, ModelReport, Scenario, SplitEstimate
from schemas.choices import Views
from schemas.errors import SetupError

NAMES = ("rank1", "map", "auroc", "tpir@0.05/oracle", "tpir@0.05/honest", "fpir@0.05/honest")


def estimate(*values: float | None) -> Estimate:
    each = tuple(
        SplitEstimate(
            split=number,
            value=value,
            low=None if value is None else value - 0.125,
            high=None if value is None else value + 0.125,
        )
        for number, value in enumerate(values)
    )
    return Estimate(mean=0.5, spread=0.25, low=0.375, high=0.625, splits=each)


def evaluation(*variants: ModelReport) -> Evaluation:
    return Evaluation(
        data="herd",
        made_at=datetime(2026, 5, 1, tzinfo=UTC),
        fpirs=(0.05,),
        draws=10,
        images=96,
        refused={},
        variables={},
        variants=variants,
        differences=(),
    )


def variant(name: str, models: dict[int, str], *values: float | None) -> ModelReport:
    measures = dict.fromkeys((*NAMES, "review@0.05/honest"), estimate(*values))
    scenario = Scenario(sizes=(), measures=measures, by={})
    return ModelReport(
        name=name, distance="cosine", models=models, image_ms=1.5, scenarios={"mixed": scenario}
    )


def test_a_model_of_all_splits_keeps_the_estimate_over_them() -> None:
    models = {0: "herd@a1", 1: "herd@a1"}
    found = figures_of(evaluation(variant("herd", models, 0.25, 0.75)), "herd@a1")
    (one,) = found.variants
    assert (one.splits, one.all_splits, one.views) == ((0, 1), (0, 1), Views.NONE)
    measures = one.scenarios["mixed"].measures
    assert tuple(measures) == NAMES, "what a card has room for"
    assert set(measures.values()) == {Mean(mean=0.5, spread=0.25, low=0.375, high=0.625)}
    assert one.scenarios["mixed"].alike == {}
    assert found == ModelFigures.model_validate(found.model_dump(mode="json"))


def test_a_model_of_one_split_keeps_its_own_beside_those_of_its_like() -> None:
    models = {0: "herd@a1", 1: "herd@b2"}
    found = figures_of(evaluation(variant("herd-{split}", models, 0.25, 0.75)), "herd@b2")
    (one,) = found.variants
    assert (one.version, one.splits, one.all_splits) == ("herd@b2", (1,), (0, 1))
    scenario = one.scenarios["mixed"]
    assert scenario.measures["rank1"] == Mean(mean=0.75, spread=None, low=0.625, high=0.875)
    assert scenario.alike["rank1"].mean == 0.5


def test_a_model_of_some_splits_has_no_interval_of_its_own() -> None:
    models = {0: "herd@a1", 1: "herd@a1", 2: "herd@b2", 3: "herd@a1"}
    found = figures_of(evaluation(variant("herd", models, 0.25, 0.75, 1.0, None)), "herd@a1")
    own = found.variants[0].scenarios["mixed"].measures["rank1"]
    assert own == Mean(mean=0.5, spread=0.125**0.5, low=None, high=None)
    unmeasured = figures_of(evaluation(variant("herd", models, *[None] * 4)), "herd@a1")
    assert unmeasured.variants[0].scenarios["mixed"].measures["rank1"].mean is None


def test_it_keeps_each_variant_of_the_model_and_no_other_model() -> None:
    variants = [
        variant("plain", {0: "plain@ff"}, 0.5),
        variant("herd, none", {0: "herd@a1"}, 0.5),
        variant("herd, crops", {0: "herd@a1+crops"}, 0.5),
    ]
    found = figures_of(evaluation(*variants), "renamed@a1")
    assert [one.views for one in found.variants] == [Views.NONE, Views.CROPS]
    assert [one.version for one in found.variants] == ["herd@a1", "herd@a1+crops"]


def test_an_evaluation_of_other_models_is_refused_and_both_are_named() -> None:
    other = evaluation(variant("herd", {0: "herd@b2", 1: "herd@c3"}, 0.5, 0.5))
    with pytest.raises(SetupError, match=r"of herd@b2, herd@c3, and the model is herd@a1"):
        figures_of(other, "herd@a1")
