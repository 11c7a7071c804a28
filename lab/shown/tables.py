"""Tables on the screen."""

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from schemas.visible import visible


class PlainTable(Table):
    """A table whose text is text: a name in it is no markup, and breaks no row in two."""

    def add_row(self, *cells: RenderableType | None, **options: object) -> None:
        """Add a row; what is no plain text is taken as it is."""
        shown = (Text(visible(cell)) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*shown, **options)  # type: ignore[arg-type]  # the options of its parent


def table(*columns: str) -> PlainTable:
    """Return an empty table in the house style; long values wrap, they are never cut."""
    grid = PlainTable(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    return grid
