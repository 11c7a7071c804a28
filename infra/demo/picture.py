"""The picture that the demo leaves behind: a few identities through the year, and what was said."""

import io
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from infra.demo.ledger import Ended, FrameVerdict, Stretch
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
        seen[_named(ended)].append(ended)
    ranked = sorted(seen.values(), key=lambda row: (-len(_backgrounds(row)), -len(row)))
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


def _backgrounds(row: Row) -> set[frozenset[tuple[str, Scalar]]]:
    return {frozenset(_facts(ended)) for ended in row}


def _named(ended: Ended) -> str:
    return ended.frame.label if ended.frame.label is not None else ended.outcome.frame


_TILE: Final = (320, 240)
_GAP: Final = 20
_CAPTION: Final = 74
_HEADER: Final = 96
_FRAME: Final = 5
_MIN_COLUMNS: Final = 3  # columns: room for the title
_PAPER: Final = "#15191e"
_INK: Final = "#f2f4f5"
_QUIET: Final = "#9aa5ae"
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
    """Draw the rows of frames under a title with the counts of the whole run, as a PNG."""
    columns = max((len(row) for row in rows), default=0)
    columns = max(columns, _MIN_COLUMNS)
    step = (_TILE[0] + _GAP, _TILE[1] + _CAPTION + _GAP)
    size = (_GAP + columns * step[0], _HEADER + len(rows) * step[1])
    sheet = Image.new("RGB", size, _PAPER)
    _header(ImageDraw.Draw(sheet), size[0], whole, title)
    for number, row in enumerate(rows):
        for column, ended in enumerate(row):
            _tile(sheet, (_GAP + column * step[0], _HEADER + number * step[1]), ended)
    sheet.save(path, format="PNG", optimize=True)


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


def _header(draw: ImageDraw.ImageDraw, width: int, whole: Stretch, title: str) -> None:
    draw.text((_GAP, 16), title, _INK, _font(28))
    x = float(_GAP)
    for verdict, badge in _BADGES.items():
        if not whole.counts[verdict]:
            continue
        draw.rounded_rectangle((x, 58, x + 12, 70), 3, _COLOURS[verdict])
        text = f"{whole.counts[verdict]:,} {badge}"
        draw.text((x + 20, 55), text, _QUIET, _font(15))
        x += 44 + draw.textlength(text, _font(15))
    about = "a row: one identity, from first sight on; distance against threshold"
    draw.text((width - _GAP, 55), about, _QUIET, _font(15), anchor="ra")


def _tile(sheet: Image.Image, corner: tuple[int, int], ended: Ended) -> None:
    (x, y), (width, height), colour = corner, _TILE, _COLOURS[ended.verdict]
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle(
        (x - _FRAME, y - _FRAME, x + width + _FRAME - 1, y + height + _FRAME - 1), 8, colour
    )
    sheet.paste(_photo(ended), corner)
    badge, font = _BADGES[ended.verdict], _font(14)
    draw.rounded_rectangle((x, y, x + draw.textlength(badge, font) + 14, y + 23), 4, colour)
    draw.text((x + 7, y + 4), badge, _PAPER, font)
    named, measured, conditions = captions(ended)
    below = y + height + _FRAME + 6
    _line(draw, (x, below), named, colour, 17)
    _line(draw, (x, below + 23), measured, _INK, 14)
    _line(draw, (x, below + 43), conditions, _QUIET, 14)


def _photo(ended: Ended) -> Image.Image:
    """The frame on a tile, whole; its file may be gone, and a dead one may be no image at all."""
    try:
        with Image.open(io.BytesIO(ended.frame.load())) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return Image.new("RGB", _TILE, "#000000")
    return ImageOps.pad(upright, _TILE, Image.Resampling.LANCZOS, "#000000")


def _line(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, colour: str, size: int
) -> None:
    """Write one line, cut to the width of a tile."""
    font, room = _font(size), _TILE[0]
    if draw.textlength(text, font) > room:
        while text and draw.textlength(text + "…", font) > room:
            text = text[:-1]
        text += "…"
    draw.text(at, text, colour, font)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
