"""What all pictures share."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib import rc_context, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart with any colour vision, and in print.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
INK: Final = "#22272c"
QUIET: Final = "#8a949c"
GRID: Final = "#e3e7ea"

# What is drawn are names that somebody gave: two dollars in them are no formula, and no error.
rcParams["text.parse_math"] = False


def panels(
    rows: int, columns: int, *, width: float, height: float, same_y: bool = False
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure with rows x columns panels, each ``width`` x ``height`` inches."""
    figure = Figure(figsize=(width * columns, height * rows), dpi=120, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=same_y)
    grid: list[list[Axes]] = axes.tolist()
    for axis in (axis for row in grid for axis in row):
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(QUIET)
        axis.tick_params(colors=INK, labelsize=8)
        axis.grid(color=GRID, linewidth=0.8)
        axis.set_axisbelow(True)
    return figure, grid


def colour(number: int) -> str:
    """Return the colour of the ``number``-th variant."""
    return COLOURS[number % len(COLOURS)]


def legend(figure: Figure, axis: Axes, columns: int = 4) -> None:
    """Put the legend of ``axis`` below the whole figure."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(columns, max(len(labels), 1)),
        frameon=False,
        fontsize=8,
    )


def save(figure: Figure, path: Path) -> None:
    """Write the picture as PNG."""
    figure.savefig(path, format="png")


def title(axis: Axes, parts: Sequence[str]) -> None:
    """Set the title of a panel."""
    axis.set_title(" · ".join(parts), fontsize=10, color=INK, loc="left")


def data_uri(figure: Figure) -> str:
    """Return the figure as a ``data:`` URI: SVG without a background, the same every time."""
    text = io.BytesIO()
    with rc_context({"svg.hashsalt": "perennial"}):  # else ids are drawn at random
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(text.getvalue()).decode()}"
