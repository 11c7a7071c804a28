"""What was found, as it is written to ``saliency.json``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from recognition.saliency import Saliency


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class ExplainedReport(_Part):
    """How much of a variance within identities a variable explains."""

    share: float = Field(description="η², from 0 to 1")
    by_chance: float = Field(description="Mean when values are shuffled within identities")
    p: float = Field(description="Share of the shuffles that explain as much")


class ReadReport(_Part):
    """How well a variable is read from embeddings of unseen identities."""

    measure: str = Field(description="`balanced accuracy` of names, `R²` of numbers")
    linear: float
    neighbours: float
    chance: float


class GainReport(_Part):
    """TPIR at the target FPIR, matched conditioned on a variable alone and plainly."""

    gain: float
    low: float = Field(description="95 % of the bootstrap draws lie between low and high")
    high: float
    plain: float
    conditioned: float


class VariableReport(_Part):
    """All that is known of one variable."""

    variable: str
    kind: str
    role: str = Field(
        description="`shifts`, `spreads`, `shifts_and_spreads`, `noise` or `confounded`"
    )
    salient: bool = Field(
        description="The gain surely lies above zero; without one, the variable acts"
    )
    meaning: str
    groups: tuple[str, ...] = Field(description="Values, or ranges of them")
    images: int = Field(description="Images that have the variable")
    identities: int
    varying: float = Field(description="Share of them in identities in which it varies")
    between: float = Field(description="Share of its variance that lies between identities")
    shift: ExplainedReport | None = Field(description="Of the embeddings; null where confounded")
    spread: ExplainedReport | None = Field(description="Of the logarithm of their radius")
    read: ReadReport | None
    gain: GainReport | None = Field(description="Null where it was not measured")

    @classmethod
    def of(cls, finding: Saliency) -> Self:
        """Return what was found in the words of the report."""
        return cls.model_validate(finding)


class SaliencyReport(_Part):
    """Every variable, the ones that matter most first."""

    data: str
    made_at: datetime
    model: str = Field(description="Version of the model that embedded")
    split: int = Field(description="Whose train and calibrate parts were looked at")
    images: int
    identities: int
    permutations: int
    refused: Mapping[str, str] = Field(description="Why an image was left out, by its path")
    left_out: Mapping[str, str] = Field(description="Why a variable was not looked at, by its name")
    variables: tuple[VariableReport, ...]
