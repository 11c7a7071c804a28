"""The ranking as a table of the page."""

from html import escape
from typing import Final

from lab.evaluate.words import NOTHING
from lab.saliency.report import (
    ExplainedReport,
    GainReport,
    ReadReport,
    SaliencyReport,
    VariableReport,
)

_ROLES: Final = {
    "shifts": "shifts",
    "spreads": "spreads",
    "shifts_and_spreads": "shifts and spreads",
    "noise": "noise",
    "confounded": "confounded",
}


def ranking(report: SaliencyReport) -> str:
    """Return the table; a column for the gain only where one was measured."""
    gains = [one.gain for one in report.variables if one.gain is not None]
    widest = max((max(abs(g.low), abs(g.high), abs(g.gain)) for g in gains), default=0.0)
    heading = ["variable", "role", "shift η²", "spread η²", "read from the embedding"]
    heading += ["gain in TPIR"] if gains else []
    head = "".join(f"<th>{text}</th>" for text in heading)
    body = "".join(_row(one, len(heading), widest if gains else None) for one in report.variables)
    return f"<table><thead><tr>{head}</tr></thead>{body}</table>"


def _row(one: VariableReport, columns: int, widest: float | None) -> str:
    cells = [
        f"<th scope=row>{escape(one.variable)}<small>{_about(one)}</small></th>",
        f'<td><span class="role {one.role}">{_ROLES[one.role]}</span></td>',
        *(f"<td>{_explained(share)}</td>" for share in (one.shift, one.spread)),
        f"<td>{_read(one.read)}</td>",
    ]
    if widest is not None:
        cells.append(f"<td>{_gain(one.gain, widest)}</td>")
    meaning = f'<tr class=meaning><td colspan="{columns}">{escape(one.meaning)}</td></tr>'
    return f"<tbody><tr>{''.join(cells)}</tr>{meaning}</tbody>"


def _about(one: VariableReport) -> str:
    return f"{one.kind}, {one.images:,} images"


def _explained(of: ExplainedReport | None) -> str:
    if of is None:
        return NOTHING
    bar = (
        f'<span class=share><i style="width:{_percent(of.share)}"></i>'
        f'<b style="left:{_percent(of.by_chance)}"></b></span>'
    )
    return f"{of.share:.3f}{bar}<small>by chance {of.by_chance:.3f}, p = {of.p:.3g}</small>"


def _read(of: ReadReport | None) -> str:
    if of is None:
        return NOTHING
    best = max(of.linear, of.neighbours)
    return (
        f"{best:.2f} <small>{escape(of.measure)}; by chance {of.chance:.2f}<br>"
        f"linear {of.linear:.2f}, neighbours {of.neighbours:.2f}</small>"
    )


def _gain(of: GainReport | None, widest: float) -> str:
    """Draw the gain as a dot on its interval, about a line at zero."""
    if of is None:
        return NOTHING

    def place(value: float) -> str:
        return _percent(0.5 + (0.48 * value / widest if widest > 0 else 0.0))

    sure = "up" if of.low > 0 else "down" if of.high < 0 else "unsure"
    width = _percent(0.48 * (of.high - of.low) / widest if widest > 0 else 0.0)
    return (
        f'{of.gain:+.3f}<span class="gain {sure}"><b></b>'
        f'<i style="left:{place(of.low)};width:{width}"></i>'
        f'<u style="left:{place(of.gain)}"></u></span>'
        f"<small>{of.low:+.3f} to {of.high:+.3f}; {of.plain:.3f} → {of.conditioned:.3f}</small>"
    )


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"
