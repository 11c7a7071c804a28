"""Tables on the screen."""

from rich.table import Table


def table(*columns: str) -> Table:
    """Return an empty table in the house style; long values wrap, they are never cut."""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    return grid
