"""What a model card says of the training, as far as it is known here."""

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from lab.cards.figures import ModelFigures
from lab.evaluate.measures import TPIR, at
from lab.evaluate.thresholds import OperatingTarget, Rule
from workers.model.model_folder import ModelCard

_FPIR = 0.05
_MEASURE = at(TPIR, OperatingTarget(_FPIR, Rule.ORACLE))


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
