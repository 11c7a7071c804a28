"""What each way to condition gains."""

from matplotlib.figure import Figure

from lab.evaluate.words import percent
from lab.fit.report import Race
from lab.shown.style import COLOURS, INK, QUIET, panels

_ROW = 0.26  # inches
_FIGURES = 1.02  # where they stand, as a share of the width


def race(report: Race) -> Figure:
    """Draw the gain of each way over plain distances, with its interval; the chosen one stands out.

    The numbers at the right are the TPIR.
    """
    rows = len(report.ways)
    figure, ((axis,),) = panels(1, 1, width=8.4, height=1.1 + _ROW * rows)
    for row, way in enumerate(report.ways):
        chosen = row == report.chosen
        shade = COLOURS[1] if chosen else COLOURS[0]
        axis.hlines(row, 100 * way.low, 100 * way.high, color=shade, alpha=0.5, linewidth=2.5)
        axis.plot(100 * way.gain, row, "o", color=shade, markersize=7 if chosen else 5)
        text = axis.text(
            _FIGURES, row, f"{way.tpir:.3f}", transform=axis.get_yaxis_transform(), va="center"
        )
        text.set(fontsize=8, color=INK, fontweight="bold" if chosen else "normal")
    axis.axvline(0, color=QUIET, linewidth=1)
    axis.set_yticks(range(rows), [way.way for way in report.ways])
    axis.get_yticklabels()[report.chosen].set_fontweight("bold")
    axis.set_ylim(rows - 0.4, -0.6)
    axis.grid(visible=False, axis="y")
    axis.text(_FIGURES, -1, "TPIR", transform=axis.get_yaxis_transform(), color=INK, fontsize=8)
    axis.set_xlabel(f"points of TPIR gained at FPIR {percent(report.fpir)}", fontsize=9)
    return figure
