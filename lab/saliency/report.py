"""What was found, as it is written to ``saliency.json``."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from lab.shown.report import ReportPart
from recognition.findings import Gain
from recognition.predictability import Predictability
from recognition.within import Explained


class VariableReport(ReportPart):
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
    shift: Explained | None = Field(description="Of the embeddings; null where confounded")
    spread: Explained | None = Field(description="Of the logarithm of their radius")
    read: Predictability | None
    gain: Gain | None = Field(description="Null where it was not measured")


class SaliencyReport(ReportPart):
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
