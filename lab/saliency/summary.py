"""The ranking of the variables as Markdown, for the terminal."""

from lab.evaluate.words import NOTHING
from lab.saliency.report import SaliencyReport, VariableReport
from lab.shown.markdown import plain, table
from recognition.findings import Gain
from recognition.predictability import Predictability
from recognition.within import Explained

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
