"""The report as a table on the screen."""

from itertools import compress

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from infra.console import table
from infra.simulate.report import SimulationReport
from infra.simulate.variant import telling
from infra.simulate.words import COLUMNS, LEGEND, TRAITS, cells, heading, traits


def screen(report: SimulationReport) -> RenderableType:
    """Return what is printed: a line for each variant."""
    some = telling([variant.parts for variant in report.variants])
    grid = table(*compress(TRAITS, some), *COLUMNS)
    for column in grid.columns[sum(some) :]:
        column.no_wrap = True
    for variant in report.variants:
        grid.add_row(*compress(traits(variant), some), *cells(variant))
    parts = (Text(heading(report), style="bold"), grid, Text(LEGEND, style="dim"))
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))
