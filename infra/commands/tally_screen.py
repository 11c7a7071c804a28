"""What became of published frames, on the screen."""

from rich.console import Group, RenderableType
from rich.text import Text

from client.summary import Tally
from lab.shown.tables import table

_SHOWN = 5


def tally_screen(tally: Tally) -> RenderableType:
    """Return the counts, the latencies and the frames that are lost."""
    lines: list[RenderableType] = [Text(str(tally), style="bold red" if tally.pending else "bold")]
    if tally.latencies:
        grid = table("latency, ms", "p50", "p95")
        for stage, took in tally.latencies.items():
            grid.add_row(stage, f"{took.p50:.1f}", f"{took.p95:.1f}")
        lines.append(grid)
    for reason, count in tally.dead_reasons.most_common():
        lines.append(Text(f"dead: {reason} × {count}"))
    lines += [Text(f"lost: {frame}", overflow="fold") for frame in tally.lost[:_SHOWN]]
    if tally.pending > _SHOWN:
        lines.append(Text(f"lost: and {tally.pending - _SHOWN} more"))
    return Group(*lines)
