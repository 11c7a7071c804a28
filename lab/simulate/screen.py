"""The report as a table on the screen."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from lab.shown.tables import table
from lab.simulate.report import SimulationReport
from lab.simulate.words import COLUMNS, LEGEND, cells, heading


def screen(report: SimulationReport) -> RenderableType:
    """Return what is printed: a line for each variant."""
    grid = table("variant", *COLUMNS)
    for column in grid.columns[1:]:
        column.no_wrap = True
    for variant in report.variants:
        grid.add_row(variant.name, *cells(variant))
    parts = (Text(heading(report), style="bold"), grid, Text(LEGEND, style="dim"))
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))
