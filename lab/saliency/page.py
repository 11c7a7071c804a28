"""The page: everything in one file, so that it can be sent and opened without a network."""

from collections.abc import Mapping
from typing import Any

from lab.saliency.report import SaliencyReport
from lab.shown import html


def page(report: SaliencyReport, data: Mapping[str, Any]) -> str:
    """Return the HTML of a report; ``data`` is what :func:`~lab.saliency.page_data.page_data`
    gives.
    """
    from plotly.offline import get_plotlyjs  # here, since it is slow to import

    gains = [each.gain for each in report.variables if each.gain is not None]
    return html.page(
        "lab.saliency",
        title=f"What matters in {report.data}",
        facts=_facts(report),
        report=report,
        gains=gains,
        widest=max((max(abs(g.low), abs(g.high), abs(g.gain)) for g in gains), default=0.0),
        data=data,
        plotly=get_plotlyjs(),
    )


def _facts(report: SaliencyReport) -> tuple[str, ...]:
    return (
        f"{report.images:,} images of {report.identities:,} identities",
        f"split {report.split}, train and calibrate parts",
        report.model,
        f"{report.made_at:%d %B %Y}",
    )
