"""The curve as a table on the screen."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from client.activation import words_of
from lab.evaluate.words import percent
from lab.shown.tables import table
from lab.whatif.strangers import Source, Strangers
from lab.whatif.whatif import Point, WhatIf

PER = 1000


def whatif_screen(found: WhatIf) -> RenderableType:
    """Return what is printed: the curve, and what it rests on."""
    head = (
        f"{found.probes} probes against {found.entries} entries of {found.identities} identities, "
        f"model {found.model}, conditioning: {words_of(found.conditioning)}"
    )
    parts = [Text(head, style="bold"), _curve(found), Text("\n".join(notes(found)), style="dim")]
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def notes(found: WhatIf) -> Iterator[str]:
    """Yield what one must know to read the curve."""
    yield (
        f"→ is asked for at present. False matches: strangers that get a name, per {PER} probes, "
        "with the interval of 95 in 100 cases: where they are rare, nearly all see none. No probe "
        "is compared with its own entry."
    )
    yield strangers_words(found.strangers)
    if found.points[0].verified is not None:
        yield "Right and wrong: of the probes that people named."
    if found.left_out:
        yield f"{found.left_out} embeddings are of other models or cannot be used: left out."
    if found.unlike is not None:
        yield found.unlike
    yield (
        "To change it: PERENNIAL_TARGET_FPIR of `perennial streams`."
        if found.conditioning is None
        else "To change it: `perennial fit` with another --fpir, then `perennial activate`."
    )


def strangers_words(strangers: Strangers) -> str:
    """Say how many probes are taken to be strangers, and why."""
    share = percent(round(strangers.share, 4))
    if strangers.source is Source.GIVEN:
        return f"Strangers: {share} of the probes, as given."
    if strangers.source is Source.ASSUMED:
        return (
            "Nobody has named any of these probes, so all are counted as strangers, the worst "
            "case: give --strangers if you know their share."
        )
    return (
        f"Strangers: {share} of the probes, by the {strangers.answered} that people named of the "
        f"{strangers.asked} that they were asked about."
    )


def _curve(found: WhatIf) -> RenderableType:
    verified = found.points[0].verified is not None
    more = ("right", "wrong") if verified else ()
    grid = table("", "FPIR", "to review", "identified", "false matches", "", *more)
    for column in grid.columns[1:]:
        column.justify = "right"
    for point in found.points:
        grid.add_row(*_cells(point), style="bold" if point.asked else "")
    return grid


def _cells(point: Point) -> Iterator[str]:
    yield "→" if point.asked else ""
    yield percent(point.fpir)
    yield f"{point.review:.1%}"
    yield f"{point.identified:.1%}"
    expected = point.false_matches
    yield f"{PER * expected.share:.2f}"
    yield f"[{PER * expected.low:.2f}, {PER * expected.high:.2f}]"
    if point.verified is not None:
        yield str(point.verified.right)
        yield str(point.verified.wrong)
