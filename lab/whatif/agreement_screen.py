"""The agreement report as tables on the screen."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from lab.shown.tables import table
from lab.whatif.agreement import Agreement, Kind, Told
from lab.whatif.truth import Verified

WORDS = {
    Kind.SAME: "same",
    Kind.OTHER_IDENTITY: "other identity",
    Kind.NOW_IDENTIFIED: "now identified",
    Kind.NOW_REVIEW: "now review",
}


def agreement_screen(agreement: Agreement, before: str, after: str) -> RenderableType:
    """Return what is printed: totals by cluster, examples, and what people said."""
    head = f"{agreement.probes} probes, {before} → {after}, against the present gallery"
    if not agreement.probes:
        return Text("no recent probes to compare by: nothing is known of what will change")
    parts: list[RenderableType] = [Text(head, style="bold"), _totals(agreement)]
    if agreement.examples:
        parts.append(_examples(agreement))
    parts += [Text(words) for words in _notes(agreement)]
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def _totals(agreement: Agreement) -> RenderableType:
    grid = table("cluster", "probes", *WORDS.values(), "")
    for column in grid.columns[1:-1]:
        column.justify = "right"
    for one in agreement.clusters:
        counts = [one.counts[kind] for kind in WORDS]
        grid.add_row(*map(Text, (one.cluster, *_with_sum(counts), one.description)))
    totals = [agreement.counts[kind] for kind in WORDS]
    grid.add_row("all", *_with_sum(totals), style="bold")
    grid.add_row("", "", *(f"{count / agreement.probes:.1%}" for count in totals), style="bold")
    return grid


def _with_sum(counts: list[int]) -> list[str]:
    return [str(count) for count in (sum(counts), *counts)]


def _examples(agreement: Agreement) -> RenderableType:
    grid = table("for example", "", "before", "after")
    for one in agreement.examples:
        # As text: names may hold brackets, which are markup in a string.
        cells = (one.event_id, WORDS[one.kind], _told(one.before), _told(one.after))
        grid.add_row(*map(Text, cells))
    return grid


def _told(told: Told) -> str:
    """Return the name, and the distance beside the threshold that decided."""
    name = "review" if told.identity is None else told.identity
    if told.distance is None:
        return name
    if told.threshold is None:
        return f"{name} {told.distance:.3f}, no τ yet"
    return (
        f"{name} {told.distance:.3f} {'>' if told.identity is None else '≤'} {told.threshold:.3f}"
    )


def _notes(agreement: Agreement) -> list[str]:
    notes = []
    if agreement.verified is not None:
        before, after = agreement.verified
        named = before.right + before.wrong + before.review
        notes.append(f"Of {named} that people named: {_said(before)}; then {_said(after)}.")
    if agreement.left_out:
        notes.append(f"{agreement.left_out} could not be answered: not embeddings of this system.")
    if agreement.unlike is not None:
        notes.append(agreement.unlike)
    return notes


def _said(verified: Verified) -> str:
    return f"{verified.right} right, {verified.wrong} wrong, {verified.review} to review"
