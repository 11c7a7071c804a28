"""The screen of `perennial up`: where everything is, and what it has done so far."""

import time
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from client.service_pages import Readings, readings, waiting_for
from infra.local.stack import Stack, addresses

_QUIET = "bright_black"
_OUTCOMES = ("Identified", "To a person", "Dead")
_RATE_OVER_S = 5.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What the services have counted since they started."""

    frames: int
    identified: int
    review: int
    dead: int
    entries: int
    quarantined: int
    waiting: int


def counts(services: list[Readings]) -> Counts:
    """Add up the readings of all services."""

    def total(name: str, **labels: str) -> int:
        return int(sum(r.total(f"perennial_{name}", **labels) for r in services))

    return Counts(
        frames=total("frames_total"),
        identified=total("outcomes_total", outcome="identified"),
        review=total("outcomes_total", outcome="review"),
        dead=total("outcomes_total", outcome="dead"),
        entries=total("gallery_entries", status="active"),
        quarantined=total("gallery_entries", status="quarantined"),
        waiting=total("consumer_lag"),
    )


class StackBoard:
    """Reads the services at every :meth:`look`; rich shows what was read."""

    def __init__(self, running: Stack) -> None:
        self._stack = running
        self._note = ""
        self._counts = Counts(0, 0, 0, 0, 0, 0, 0)
        self._states: dict[str, str | None] = {}
        self._seen: list[tuple[float, int]] = []

    def take_note(self, note: str) -> None:
        """Show a line below the rest."""
        self._note = note

    def look(self) -> None:
        """Read the metrics and the readiness of every service."""
        self._counts = counts([readings(service.url) for service in self._stack.services])
        self._states = {s.name: waiting_for(s.url) for s in self._stack.services}
        now = time.monotonic()
        self._seen = [seen for seen in self._seen if now - seen[0] < _RATE_OVER_S]
        self._seen.append((now, self._counts.frames))

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [
            Text("In another shell: perennial publish photos/ --wait", style="bold"),
            addresses(self._stack),
            Text(),
            self._table(),
        ]
        parts += [Text(f"{name}: {state}", "red") for name, state in self._states.items() if state]
        if self._note:
            parts.append(Text(self._note, style="yellow"))
        parts += [Text(), Text("Ctrl-C ends it; nothing is kept.", style=_QUIET)]
        return Panel(
            Padding(Group(*parts), (1, 1)),
            title="Perennial",
            title_align="left",
            box=box.ROUNDED,
            border_style=_QUIET,
            expand=False,
        )

    def _table(self) -> Table:
        seen = self._counts
        grid = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
        for name in ("Frames", "per second", *_OUTCOMES, "Waiting", "Gallery"):
            grid.add_column(name, justify="right")
        aside = f" (+{seen.quarantined:,} in quarantine)" if seen.quarantined else ""
        grid.add_row(
            f"{seen.frames:,}",
            f"{self._rate():.1f}",
            Text(f"{seen.identified:,}", style="green"),
            Text(f"{seen.review:,}", style="yellow"),
            Text(f"{seen.dead:,}", style="red" if seen.dead else _QUIET),
            f"{seen.waiting:,}",
            f"{seen.entries:,}{aside}",
        )
        return grid

    def _rate(self) -> float:
        if len(self._seen) < 2:
            return 0.0
        (first, before), (last, now) = self._seen[0], self._seen[-1]
        return max(now - before, 0) / (last - first)
