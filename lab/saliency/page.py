"""The page: everything in one file, so that it can be sent and opened without a network."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.progress import Progress

from lab.images.samples import EmbeddedParts
from lab.saliency.page_data import page_data
from lab.saliency.report import SaliencyReport
from lab.shown import html
from lab.shown.folder import writing
from schemas.settings import Settings

REPORT, PAGE = "saliency.json", "saliency.html"


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


def write(
    folder: Path, report: SaliencyReport, parts: EmbeddedParts, settings: Settings, bar: Progress
) -> None:
    """Write ``saliency.json`` and ``saliency.html``; the folder is made.

    Raises:
        SetupError: it cannot be written to.
    """

    def progress(task: str, steps: int) -> Callable[[], None]:
        number = bar.add_task(task, total=steps)
        return lambda: bar.advance(number)

    with writing(folder):
        (folder / REPORT).write_text(report.model_dump_json(indent=1), encoding="utf-8")
        html = page(report, page_data(report, parts, settings, progress))
        (folder / PAGE).write_text(html, encoding="utf-8")
