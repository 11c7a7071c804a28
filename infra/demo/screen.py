"""What the demo shows while it runs: quarter by quarter, and who still has to be asked."""

import time
from datetime import datetime

from rich import box
from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from client.gallery import Gallery
from infra.demo.ledger import QUARTERS, FrameVerdict, Ledger, Stretch
from infra.demo.run import Window

RIGHT, WRONG, ASKED, QUIET = "green", "red", "yellow", "bright_black"
_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARKS = 48
TENTHS = 10
_ORDINALS = ("1st", "2nd", "3rd", "4th")


class YearScreen:
    """A live view of the ledger; rich asks it for itself at every refresh."""

    def __init__(self, title: str, ledger: Ledger, gallery: Gallery, window: Window) -> None:
        self._note = ""
        self._title = title
        self._ledger = ledger
        self._gallery = gallery
        self._window = window
        self._started = time.monotonic()

    def take_note(self, note: str) -> None:
        """Show a line about the services below the rest."""
        self._note = note

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [quarters_table(self._ledger), Text(), self._curve()]
        parts += [self._state(), Text(), self._progress()]
        if self._note:
            parts.append(Text(self._note, style=ASKED))
        return Panel(
            Padding(Group(*parts), (1, 1)),
            title=self._title,
            title_align="left",
            box=box.ROUNDED,
            border_style=QUIET,
            width=86,
        )

    def _curve(self) -> Text:
        shares = [stretch.review_share for stretch in self._ledger.stretches(_SPARKS)]
        return Text.assemble(("Person asked  ", "bold"), sparkline(shares), ("  over time", QUIET))

    def _state(self) -> Text:
        facts = f"{len(self._gallery):,} entries of {self._gallery.identities} identities"
        return Text.assemble(("Gallery       ", "bold"), facts)

    def _progress(self) -> RenderableType:
        done, total = self._ledger.whole().frames, self._ledger.total
        seconds = time.monotonic() - self._started
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_row(
            ProgressBar(total, done, width=36, complete_style="cyan", finished_style="cyan"),
            f"{done:,} of {total:,}",
            Text(f"{done / seconds:.0f} frames/s, {len(self._window)} on their way", style=QUIET),
        )
        return grid


def tenth_is_over(ledger: Ledger, number: int) -> bool:
    """Tell whether all of the ``number``-th tenth have ended; one that is lost holds up nothing."""
    own, *later = ledger.stretches(TENTHS)[number - 1 :]
    return own.frames == own.planned or any(stretch.frames == stretch.planned for stretch in later)


def tenth(ledger: Ledger, gallery: Gallery, number: int) -> str:
    """Return one line about the ``number``-th tenth of the frames, for where nothing is live."""
    stretch = ledger.stretches(TENTHS)[number - 1]
    share = 0.0 if stretch.review_share is None else stretch.review_share
    return (
        f"{10 * number:>3} %  {stretch.frames:,} frames: {stretch.identified:,} identified, "
        f"{stretch.counts[FrameVerdict.WRONG]:,} wrong, "
        f"{share:.0%} to a person; gallery {len(gallery):,}"
    )


def quarters_table(ledger: Ledger) -> Table:
    """Return the outcome of each quarter, by publishing order, and of the whole."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("Quarter", min_width=22, no_wrap=True)
    for name in ("Frames", "Identified", "Right", "Wrong"):
        grid.add_column(name, justify="right")
    grid.add_column("To a person")
    for number, stretch in enumerate(ledger.stretches(QUARTERS)):
        grid.add_row(_ORDINALS[number] + span(stretch, "  "), *_cells(stretch))
    grid.add_row("Whole", *_cells(ledger.whole()), style="bold")
    return grid


def _cells(stretch: Stretch) -> tuple[RenderableType, ...]:
    if not stretch.frames:
        return ("",) * 5
    wrong = stretch.counts[FrameVerdict.WRONG]
    return (
        f"{stretch.frames:,}",
        f"{stretch.identified:,}",
        Text(f"{stretch.counts[FrameVerdict.RIGHT]:,}", style=RIGHT),
        Text(f"{wrong:,}", style=WRONG if wrong else QUIET),
        _share(stretch),
    )


def _share(stretch: Stretch) -> RenderableType:
    share = 0.0 if stretch.review_share is None else stretch.review_share
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(justify="right", width=5)
    grid.add_row(f"{share:.0%}", Bar(1, 0, share, width=15, color=ASKED))
    return grid


def span(stretch: Stretch, before: str = "") -> str:
    """Return the months that a stretch covers; nothing where no frame has a time."""
    if stretch.first is None or stretch.last is None:
        return ""
    first, last = _day(stretch.first), _day(stretch.last)
    return before + (first if first == last else f"{first} - {last}")


def _day(at: datetime) -> str:
    return f"{at:%-d %b}"


def sparkline(shares: list[float | None]) -> Text:
    """Return one block a share, higher for more; a dot where nothing is known yet."""
    line = Text()
    for share in shares:
        if share is None:
            line.append("·", style=QUIET)
        else:
            line.append(_BLOCKS[round(share * (len(_BLOCKS) - 1))], style=ASKED if share else RIGHT)
    return line
