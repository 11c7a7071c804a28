"""The page: everything in one file, so that it can be sent and opened without a network."""

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any, Final

from lab.saliency.ranking import ranking
from lab.saliency.report import SaliencyReport

_GAIN: Final = (
    " The <b>gain</b> is what matching conditioned on the variable alone adds, on identities that "
    "were not fitted to, with its 95 % interval."
)

_SCRIPTS: Final = ("colours.js", "space.js", "distances.js", "page.js")


def page(report: SaliencyReport, data: Mapping[str, Any]) -> str:
    """Return the HTML of a report; ``data`` is what :func:`~lab.saliency.page_data.page_data`
    gives.
    """
    from plotly.offline import get_plotlyjs  # here, since it is slow to import

    parts = {
        "title": escape(f"What matters in {report.data}"),
        "facts": _facts(report),
        "gain": _GAIN if any(one.gain is not None for one in report.variables) else "",
        "ranking": ranking(report),
        "left-out": _left_out(report),
        "style": _asset("page.css"),
        "plotly": get_plotlyjs(),
        "data": _json(data),
        "scripts": "\n".join(map(_asset, _SCRIPTS)),
    }
    html = _asset("page.html")
    for name, text in parts.items():
        html = html.replace(f"<!--{name}-->", text)
    return html


def _facts(report: SaliencyReport) -> str:
    facts = (
        f"{report.images:,} images of {report.identities:,} identities",
        f"split {report.split}, train and calibrate parts",
        report.model,
        f"{report.made_at:%d %B %Y}",
    )
    return " · ".join(map(escape, facts))


def _left_out(report: SaliencyReport) -> str:
    if not report.left_out:
        return ""
    items = (f"<li>{escape(why)}</li>" for why in report.left_out.values())
    return f"<details><summary>Not looked at</summary><ul>{''.join(items)}</ul></details>"


def _asset(name: str) -> str:
    return (files("lab.saliency") / "assets" / name).read_text(encoding="utf-8")


def _json(data: Mapping[str, Any]) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
