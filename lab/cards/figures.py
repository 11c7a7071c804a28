"""What a model card says of the training, and keeps of an evaluation: of this model alone."""

import statistics
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from lab.evaluate.measures import TPIR, at
from lab.evaluate.report import Estimate, Evaluation, Mean, ModelReport, Scenario
from lab.evaluate.scored import OperatingTarget, Rule
from lab.evaluate.words import OVERALL, POINT_COLUMNS
from lab.shown.report import ReportPart
from schemas.choices import Views
from schemas.errors import SetupError
from workers.model.model_folder import ModelCard

POINTS = POINT_COLUMNS[:3]
"""What a card keeps at each FPIR, of what is measured there."""
_FPIR = 0.05
_MEASURE = at(TPIR, OperatingTarget(_FPIR, Rule.ORACLE))


class ScenarioFigures(ReportPart):
    """Measures by the names that ``evaluation.json`` gives them."""

    measures: dict[str, Mean] = Field(description="Of this model, over its splits")
    alike: dict[str, Mean] = Field(
        description="Over all splits, where models that were made alike embedded the others"
    )


class VariantFigures(ReportPart):
    """The model with one distance and one kind of views."""

    name: str
    version: str = Field(description="As evaluated: with the views, and under its name then")
    distance: str
    views: Views
    image_ms: float | None = Field(description="Time of the forward passes for one image")
    splits: tuple[int, ...] = Field(description="Those that this model embedded")
    all_splits: tuple[int, ...]
    scenarios: dict[str, ScenarioFigures]


class ModelFigures(ReportPart):
    """An evaluation, as far as it is about one model."""

    data: str
    made_at: datetime
    images: int
    fpirs: tuple[float, ...]
    variants: tuple[VariantFigures, ...] = Field(min_length=1)


def read_evaluation(file: Path) -> Evaluation:
    """Read the ``evaluation.json`` of ``perennial evaluate --out``."""
    try:
        return Evaluation.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SetupError(
            f"{file} is no evaluation.json of this version of `perennial evaluate`: {error}"
        ) from error


def figures_of(evaluation: Evaluation, version: str) -> ModelFigures:
    """Take from an evaluation what it says of the model ``version``, under whatever name.

    Raises:
        SetupError: it is about other models.
    """
    wanted = _hash(version)
    variants = [
        _variant(variant, splits, evaluation.fpirs)
        for variant in evaluation.variants
        if (splits := [split for split, model in variant.models.items() if _hash(model) == wanted])
    ]
    if not variants:
        seen = dict.fromkeys(model for v in evaluation.variants for model in v.models.values())
        raise SetupError(
            f"the evaluation is of {', '.join(seen)}, and the model is {version}: evaluate this "
            "one with `perennial evaluate --model`"
        )
    return ModelFigures(
        data=evaluation.data,
        made_at=evaluation.made_at,
        images=evaluation.images,
        fpirs=evaluation.fpirs,
        variants=tuple(variants),
    )


def _names(fpirs: Sequence[float]) -> list[str]:
    points = (at(m, OperatingTarget(f, rule)) for f in fpirs for _, m, rule in POINTS)
    return [*OVERALL, *points]


def _hash(version: str) -> str:
    """Return what is the same for the same network, whatever its name and views."""
    return version.partition("@")[2].partition("+")[0]


def _variant(variant: ModelReport, splits: Sequence[int], fpirs: Sequence[float]) -> VariantFigures:
    version = variant.models[splits[0]]
    views = version.partition("+")[2]
    chosen = None if len(splits) == len(variant.models) else splits
    return VariantFigures(
        name=variant.name,
        version=version,
        distance=variant.distance,
        views=Views(views) if views else Views.NONE,
        image_ms=variant.image_ms,
        splits=tuple(splits),
        all_splits=tuple(variant.models),
        scenarios={
            name: _scenario(scenario, _names(fpirs), chosen)
            for name, scenario in variant.scenarios.items()
        },
    )


def _scenario(
    scenario: Scenario, kept: Sequence[str], splits: Collection[int] | None
) -> ScenarioFigures:
    """Take the measures ``kept`` over these splits, or over all."""
    every = {name: scenario.measures[name] for name in kept if name in scenario.measures}
    over_all = {
        name: Mean(mean=e.mean, spread=e.spread, low=e.low, high=e.high)
        for name, e in every.items()
    }
    if splits is None:
        return ScenarioFigures(measures=over_all, alike={})
    own = {name: _own(estimate, splits) for name, estimate in every.items()}
    return ScenarioFigures(measures=own, alike=over_all)


def _own(estimate: Estimate, splits: Collection[int]) -> Mean:
    """Return the mean over some of the splits; only a single one has an interval of its own."""
    chosen = [each for each in estimate.splits if each.split in splits]
    values = [each.value for each in chosen if each.value is not None]
    return Mean(
        mean=statistics.mean(values) if values else None,
        spread=statistics.stdev(values) if len(values) > 1 else None,
        low=chosen[0].low if len(chosen) == 1 else None,
        high=chosen[0].high if len(chosen) == 1 else None,
    )


class BackgroundFigure(BaseModel):
    """How well a background variable is told: by a head, or along a direction of the space."""

    measure: str
    value: float | None
    chance: float | None
    images: int


class Provenance(BaseModel):
    """What ``perennial train`` writes into a card, and whatever else stands beside it."""

    model_config = ConfigDict(extra="allow")

    config: dict[str, JsonValue] = {}
    data: dict[str, JsonValue] = {}
    heads_on_calibrate: dict[str, BackgroundFigure] = {}
    directions: dict[str, BackgroundFigure] = {}

    @property
    def figures(self) -> dict[str, JsonValue]:
        """What was measured in the run."""
        extra = {} if self.model_extra is None else self.model_extra
        return {k: v for k, v in extra.items() if isinstance(v, str | int | float)}


def provenance_of(card: ModelCard) -> Provenance | None:
    """Return it, or None where the card has none of this form."""
    try:
        return None if card.training is None else Provenance.model_validate(card.training)
    except ValidationError:
        return None


def evaluation_of(card: ModelCard) -> ModelFigures | None:
    """Return the figures, or None where the card has none of this form."""
    try:
        return None if card.evaluation is None else ModelFigures.model_validate(card.evaluation)
    except ValidationError:
        return None


def headline(card: ModelCard) -> dict[str, float]:
    """Return the oracle TPIR at an FPIR of 5 %, by scenario; else that on the calibrate part."""
    evaluation, provenance = evaluation_of(card), provenance_of(card)
    if evaluation is not None:
        scenarios = evaluation.variants[0].scenarios
        means = {name: s.measures.get(_MEASURE) for name, s in scenarios.items()}
        return {n: m.mean for n, m in means.items() if m is not None and m.mean is not None}
    if provenance is not None:
        tpir = provenance.figures.get(f"calibrate_tpir_at_fpir_{_FPIR:g}")
        return {"calibrate": tpir} if isinstance(tpir, float) else {}
    return {}
