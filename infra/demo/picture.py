"""The picture that the demo leaves behind: a few identities through the year, and what was said."""

import io
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from PIL import Image, ImageOps

from infra.demo.ledger import Ended, FrameVerdict, Stretch
from lab.shown.style import INK, panels
from schemas.event import Scalar
from schemas.recognition_event import Identification, RecognitionEvent

Row = list[Ended]


def album(history: Sequence[Ended], rows: int = 3, columns: int = 4) -> list[Row]:
    """Pick up to ``rows`` identities and, in time order, up to ``columns`` frames of each.

    The identities are those seen under the most different backgrounds. Where the matcher was ever
    wrong, one row belongs to an identity that it mistook, with the mistake in it.
    """
    seen: defaultdict[str, Row] = defaultdict(list)
    for ended in history:
        label = ended.frame.label
        seen[ended.outcome.frame if label is None else label].append(ended)
    ranked = sorted(
        seen.values(),
        key=lambda row: (-len({frozenset(_facts(ended)) for ended in row}), -len(row)),
    )
    mistaken = [row for row in ranked if any(e.verdict is FrameVerdict.WRONG for e in row)][:1]
    others = [row for row in ranked if row not in mistaken]
    chosen = [*others[: rows - len(mistaken)], *mistaken]
    return [spread(row, columns) for row in chosen]


def spread(row: Row, columns: int) -> Row:
    """Pick one frame of each of ``columns`` runs of equal length.

    The first is the very first; the others show most that the picked ones do not, a mistake first.
    """
    pieces = min(columns, len(row))
    edges = [piece * len(row) // pieces for piece in range(pieces + 1)]
    picked: Row = [row[0]]
    for start, stop in pairwise(edges[1:]):
        known = {fact for ended in picked for fact in _facts(ended)}
        picked.append(max(row[start:stop], key=lambda ended: _worth(ended, known)))
    return picked


def _worth(ended: Ended, known: set[tuple[str, Scalar]]) -> tuple[bool, int, bool]:
    new = len(_facts(ended) - known)
    return ended.verdict is FrameVerdict.WRONG, new, ended.verdict is FrameVerdict.RIGHT


def _facts(ended: Ended) -> set[tuple[str, Scalar]]:
    """The named conditions of a frame; numbers are almost always new and say little."""
    return {(name, v) for name, v in ended.frame.background.items() if isinstance(v, str)}


_TILE: Final = (320, 240)
_MIN_COLUMNS: Final = 3  # columns: room for the title
_COLOURS: Final = {
    FrameVerdict.RIGHT: "#3fb56b",
    FrameVerdict.WRONG: "#e5484d",
    FrameVerdict.REVIEW: "#f0a92b",
    FrameVerdict.UNCHECKED: "#5b9bd5",
    FrameVerdict.DEAD: "#8b8d90",
}
_BADGES: Final = {
    FrameVerdict.RIGHT: "right",
    FrameVerdict.WRONG: "wrong",
    FrameVerdict.REVIEW: "to a person",
    FrameVerdict.UNCHECKED: "identified",
    FrameVerdict.DEAD: "dead letter",
}


def save(path: Path, rows: Sequence[Row], whole: Stretch, title: str) -> None:
    """Draw the rows of frames under a title, with the counts of the whole run, as a PNG."""
    columns = max([_MIN_COLUMNS, *map(len, rows)])
    drawn: list[Row] = list(rows) or [[]]
    figure, grid = panels(len(drawn), columns, width=3.2, height=3.4)
    for axes, row in zip(grid, drawn, strict=True):
        for axis, ended in zip_longest(axes, row):
            axis.set(xticks=[], yticks=[])
            axis.set_axis_off() if ended is None else _tile(axis, ended)
    figure.suptitle(title, x=0.01, ha="left", fontsize=16, color=INK)
    shown = [verdict for verdict in _BADGES if whole.counts[verdict]]
    figure.legend(
        [Patch(color=_COLOURS[verdict]) for verdict in shown],
        [f"{whole.counts[verdict]:,} {_BADGES[verdict]}" for verdict in shown],
        loc="outside lower left",
        title="a row: one identity, from first sight on; distance against threshold",
        ncols=len(_BADGES),
        frameon=False,
        fontsize=10,
    )
    figure.savefig(path, format="png")


def captions(ended: Ended) -> tuple[str, str, str]:
    """Return what is said of a frame: who it is, how near that was, and the conditions."""
    event, label = ended.outcome.event, ended.frame.label
    named = event.identity if isinstance(event, Identification) else "no label"
    truth = named if label is None else label
    if ended.verdict is FrameVerdict.WRONG:
        return truth, f"taken for {named}, {_measured(event)}", _conditions(ended)
    return truth, _measured(event), _conditions(ended)


def _measured(event: RecognitionEvent | None) -> str:
    if event is None:
        return "not embedded"
    if event.distance is None:
        return "the gallery held nothing to compare with"
    if event.threshold is None:
        return f"distance {event.distance:.3f}, no threshold yet"
    sign = "<" if event.distance <= event.threshold else ">"
    return f"distance {event.distance:.3f} {sign} {event.threshold:.3f}"


def _conditions(ended: Ended) -> str:
    at = ended.frame.captured_at
    named = [v for v in ended.frame.background.values() if isinstance(v, str)]
    return " · ".join([*([] if at is None else [f"{at:%-d %b %Y, %H:%M}"]), *named])


def _tile(axis: Axes, ended: Ended) -> None:
    colour = _COLOURS[ended.verdict]
    axis.imshow(_photo(ended), interpolation="nearest")
    axis.spines[:].set(visible=True, color=colour, linewidth=5)
    named, measured, conditions = captions(ended)
    axis.set_title(f"{named}: {_BADGES[ended.verdict]}", loc="left", fontsize=11, color=colour)
    axis.set_xlabel(f"{measured}\n{conditions}", loc="left", fontsize=8, color=INK)


def _photo(ended: Ended) -> Image.Image:
    """The frame on a tile, whole; its file may be gone, and a dead one may be no image at all."""
    try:
        with Image.open(io.BytesIO(ended.frame.load())) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return Image.new("RGB", _TILE, "#000000")
    return ImageOps.pad(upright, _TILE, Image.Resampling.LANCZOS, "#000000")
