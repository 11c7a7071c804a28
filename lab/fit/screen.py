"""What a fit found, on the screen."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from lab.fit.report import FitReport
from lab.fit.words import doubt, finding, promise
from lab.shown.tables import table


def screen(report: FitReport) -> RenderableType:
    """Return what is printed: what was chosen, what it gains and promises, and the clusters."""
    origin = report.origin
    title = (
        f"{origin.data}: {origin.seen.images:,} images of {origin.seen.identities} identities, "
        f"judged by {origin.held_out.images:,} of {origin.held_out.identities} others"
    )
    unsure = doubt(report)
    parts: list[RenderableType] = [
        Text(title, style="bold"),
        Text(finding(report)),
        Text(promise(report)),
        *([] if unsure is None else [Text(unsure, style="yellow")]),
        _clusters(report),
    ]
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def _clusters(report: FitReport) -> RenderableType:
    grid = table("cluster", "what it holds", "strangers", "threshold")
    for one in report.clusters:
        grid.add_row(one.name, one.description, f"{one.strangers}", f"× {one.threshold:.2f}")
    return grid
