"""The tables of the page."""

from collections.abc import Iterable
from html import escape

from lab.evaluate.words import NOTHING, percent
from lab.fit.report import FitReport
from lab.fit.words import between


def clusters(report: FitReport) -> str:
    """Return every cluster, the largest first."""
    heading = _row(_th("cluster"), _th("what it holds"), _right("strangers"), _right("threshold"))
    return _table(
        heading,
        (
            _row(
                _th(one.name),
                _td(one.description),
                _right(f"{one.strangers}"),
                _right(f"{one.threshold:.2f}"),
            )
            for one in report.clusters
        ),
    )


def variables(report: FitReport) -> str:
    """Return every variable, with a bar for its weight beside the heaviest."""
    heaviest = max((one.weight or 0.0 for one in report.variables), default=0.0)
    heading = _row(*map(_th, ("variable", "weight", "role", "what it does")))
    return _table(
        heading,
        (
            _row(
                _th(one.variable),
                _weight(one.weight, heaviest),
                _td(one.role.replace("_", " ")),
                _td(one.meaning),
                kind="out" if one.weight is None else "",
            )
            for one in report.variables
        ),
    )


def expected(report: FitReport) -> str:
    """Return what is to be expected at each FPIR; the one asked for stands out."""
    heading = _row(_th("FPIR asked for"), _right("to be expected"), _right("threshold"))
    return _table(
        heading,
        (
            _row(
                _th(percent(one.fpir)),
                _right(between(one)),
                _right(f"{one.threshold:.3f}"),
                kind="asked" if one == report.asked else "",
            )
            for one in report.expected
        ),
    )


def _table(heading: str, rows: Iterable[str]) -> str:
    return f"<table><thead>{heading}</thead><tbody>{''.join(rows)}</tbody></table>"


def _row(*cells: str, kind: str = "") -> str:
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def _th(text: str) -> str:
    return f"<th>{escape(text)}</th>"


def _td(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _right(text: str) -> str:
    return f"<td class=number>{escape(text)}</td>"


def _weight(weight: float | None, heaviest: float) -> str:
    if weight is None:
        return f"<td>{NOTHING}</td>"
    bar = f'<span class=share><i style="width:{100 * weight / heaviest:.1f}%"></i></span>'
    return f"<td class=weight>{weight:.3f}{bar}</td>"
