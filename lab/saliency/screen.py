"""The ranking as a table on the screen."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from lab.evaluate.words import NOTHING
from lab.saliency.report import (
    ExplainedReport,
    GainReport,
    ReadReport,
    SaliencyReport,
    VariableReport,
)
from lab.shown.tables import table

COLUMNS = ("variable", "role", "shift η²", "spread η²", "read from it", "gain in TPIR")

LEGEND = (
    "η²: share of the variance within identities that the variable explains, in brackets what "
    "chance explains; shift: of the embeddings, spread: of the logarithm of their radius. read: "
    "balanced accuracy or R² on unseen identities, in brackets by chance. confounded: it hardly "
    "varies within an identity."
)


def screen(report: SaliencyReport) -> RenderableType:
    """Return what is printed: the variables, the ones that matter most first."""
    grid = table(*COLUMNS)
    for one in report.variables:
        grid.add_row(*_cells(one))
    title = f"{report.data}: {report.images} images of {report.identities} identities"
    parts = (Text(title, style="bold"), grid, Text(LEGEND, style="dim"))
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def _cells(one: VariableReport) -> list[str]:
    return [
        one.variable,
        one.role.replace("_", " "),
        _explained(one.shift),
        _explained(one.spread),
        _read(one.read),
        _gain(one.gain),
    ]


def _explained(of: ExplainedReport | None) -> str:
    return NOTHING if of is None else f"{of.share:.3f} ({of.by_chance:.3f}) p={of.p:.3g}"


def _read(of: ReadReport | None) -> str:
    return NOTHING if of is None else f"{max(of.linear, of.neighbours):.2f} ({of.chance:.2f})"


def _gain(of: GainReport | None) -> str:
    return NOTHING if of is None else f"{of.gain:+.3f} [{of.low:+.3f}, {of.high:+.3f}]"
