"""What was found: as it is written to ``saliency.json``, and as the terminal shows it."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from lab.evaluate.words import NOTHING
from lab.shown.markdown import plain, table
from lab.shown.report import ReportPart
from recognition.findings import Explained, Gain
from recognition.predictability import Predictability


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


COLUMNS = ("variable", "role", "shift η²", "spread η²", "read from it", "gain in TPIR")

LEGEND = (
    "η²: share of the variance within identities that the variable explains, in brackets what "
    "chance explains; shift: of the embeddings, spread: of the logarithm of their radius. read: "
    "balanced accuracy or R² on unseen identities, in brackets by chance. confounded: it hardly "
    "varies within an identity."
)


def summary(report: SaliencyReport) -> str:
    """Return what is printed: the variables, the ones that matter most first."""
    title = plain(f"{report.data}: {report.images} images of {report.identities} identities")
    ranking = table(COLUMNS, map(_cells, report.variables))
    return "\n\n".join([f"# {title}", ranking, plain(LEGEND)])


def _cells(of: VariableReport) -> list[str]:
    return [
        of.variable,
        of.role.replace("_", " "),
        _explained(of.shift),
        _explained(of.spread),
        _read(of.read),
        _gain(of.gain),
    ]


def _explained(of: Explained | None) -> str:
    return NOTHING if of is None else f"{of.share:.3f} ({of.by_chance:.3f}) p={of.p:.3g}"


def _read(of: Predictability | None) -> str:
    return NOTHING if of is None else f"{max(of.linear, of.neighbours):.2f} ({of.chance:.2f})"


def _gain(of: Gain | None) -> str:
    return NOTHING if of is None else f"{of.gain:+.3f} [{of.low:+.3f}, {of.high:+.3f}]"
