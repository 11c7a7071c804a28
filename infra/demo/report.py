"""What the demo sums up at its end, on the screen and as JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from client.follow import END_TO_END
from client.gallery import Gallery
from infra.demo.ledger import QUARTERS, FrameVerdict, Ledger

_SHOWN_FIRST = (END_TO_END, "total")


@dataclass(frozen=True, slots=True)
class Report:
    """One run in numbers; the field names are those of the JSON file.

    Attributes:
        accuracy: share of the matcher's identifications, of frames with a label, that are right.
        review_share: share of frames that needed a person, by quarter of the publishing order.
        latency_ms: p50 and p95 by stage; ``end_to_end`` is from publishing to reading the outcome.
        seconds: from the first frame published to the end.
        seconds_in_all: the same, with the start of the services.
    """

    title: str
    published: int
    identified: int
    reviewed: int
    dead: int
    lost: int
    right: int
    wrong: int
    accuracy: float | None
    review_share: list[float | None]
    review_share_first_quarter: float | None
    review_share_last_quarter: float | None
    latency_ms: dict[str, dict[str, float]]
    gallery_entries: int
    gallery_identities: int
    models: list[str]
    seconds: float
    seconds_in_all: float
    lost_ids: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return asdict(self)

    def __rich__(self) -> RenderableType:
        lines: list[RenderableType] = [
            Text(
                f"published {self.published:,} · identified {self.identified:,} · "
                f"review {self.reviewed:,} · dead {self.dead:,} · lost {self.lost:,}",
                style="bold red" if self.lost else "bold",
            ),
            self._facts(),
        ]
        return Padding(Group(*lines), (0, 1))

    def _facts(self) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0))
        checked = self.right + self.wrong
        accuracy = "nothing to judge" if self.accuracy is None else f"{self.accuracy:.1%}"
        grid.add_row("Accuracy", f"{accuracy}: {self.right:,} of {checked:,} identifications right")
        shares = ("-" if share is None else f"{share:.0%}" for share in self.review_share)
        grid.add_row("To a person", " → ".join(shares))
        entries = f"{self.gallery_entries:,} entries of {self.gallery_identities:,} identities"
        grid.add_row("Gallery", entries)
        grid.add_row("Latency", self._latency())
        grid.add_row("Model", ", ".join(self.models))
        grid.add_row("Time", f"{self.seconds:.0f} s, {self.seconds_in_all:.0f} s with the start")
        return grid

    def _latency(self) -> str:
        took = self.latency_ms.get(END_TO_END)
        if took is None:
            return "nothing came back"
        stages = (
            f"{name} {value['p50']:.0f}"
            for name, value in self.latency_ms.items()
            if name not in _SHOWN_FIRST
        )
        return f"p50 {took['p50']:.0f} ms, p95 {took['p95']:.0f} ms (p50: {', '.join(stages)})"


def report(
    title: str, ledger: Ledger, gallery: Gallery, seconds: float, seconds_in_all: float
) -> Report:
    """Sum up a run."""
    counted = ledger.tally.to_json()
    whole = ledger.whole()
    shares = [stretch.review_share for stretch in ledger.stretches(QUARTERS)]
    events = (ended.outcome.event for ended in ledger.history)
    return Report(
        title=title,
        published=counted["published"],
        identified=counted["identified"],
        reviewed=counted["review"],
        dead=counted["dead"],
        lost=counted["lost"],
        right=whole.counts[FrameVerdict.RIGHT],
        wrong=whole.counts[FrameVerdict.WRONG],
        accuracy=whole.accuracy,
        review_share=shares,
        review_share_first_quarter=shares[0],
        review_share_last_quarter=shares[-1],
        latency_ms=counted["latency_ms"],
        gallery_entries=len(gallery),
        gallery_identities=gallery.identities,
        models=sorted({event.model for event in events if event is not None}),
        seconds=round(seconds, 1),
        seconds_in_all=round(seconds_in_all, 1),
        lost_ids=counted["lost_ids"],
    )
