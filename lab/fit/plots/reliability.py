"""Whether answers are right as often as their probability says."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from lab.fit.report import BinReport
from lab.shown.style import COLOURS, QUIET, panels

_LARGEST = 14  # points across, of the bin of most answers


def reliability(bins: Sequence[BinReport]) -> Figure:
    """Draw the share right over the probability; a dot's area is how many answers it stands for."""
    figure, ((axis,),) = panels(1, 1, width=4.6, height=4.4)
    axis.plot([0, 1], [0, 1], color=QUIET, linestyle="--", linewidth=1)
    most = max(each.count for each in bins)
    predicted, observed = [each.predicted for each in bins], [each.observed for each in bins]
    axis.plot(predicted, observed, color=COLOURS[0], linewidth=1.2)
    axis.scatter(
        predicted,
        observed,
        s=[max(_LARGEST**2 * each.count / most, 6) for each in bins],
        color=COLOURS[0],
        alpha=0.75,
        linewidths=0,
        clip_on=False,
    )
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.set_xlabel("probability", fontsize=9)
    axis.set_ylabel("share that was right", fontsize=9)
    return figure
