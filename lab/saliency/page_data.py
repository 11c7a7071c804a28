"""What the page draws: images, where they lie, and the distances by variable, as JSON."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from rich.progress import Progress

from lab.images.manifest import ManifestRow
from lab.images.samples import EmbeddedParts
from lab.saliency.pairs import AllPairs, Distances, Pairs
from lab.saliency.projections import VIEWS, project
from lab.saliency.report import SaliencyReport
from lab.shown import html
from lab.shown.report import writing
from recognition.value_groups import group_values
from recognition.variable import NAMED, Kind, Variable, as_text, is_missing
from schemas.errors import BadInput
from schemas.settings import Settings
from workers.images.decode import Limits, Pixels, decode

MAX_SHOWN: Final = 1500
"""Images on the page; of more, so many are drawn at random."""

MAX_VARIABLES: Final = 4
"""Variables that can be chosen on the page, so that it stays small."""

SIDE: Final = 48
"""Pixels, of the longer side of a thumbnail."""

_QUALITY = 72  # of a thumbnail, as JPEG has it
_SIGNIFICANT = 4  # digits

StartTask = Callable[[str, int], Callable[[], None]]
"""Takes a task and how many steps it has; gives what to call after each."""
REPORT, PAGE = "saliency.json", "saliency.html"


def page_data(
    report: SaliencyReport, parts: EmbeddedParts, settings: Settings, progress: StartTask
) -> dict[str, Any]:
    """Return what the scripts of the page read; see ``assets/``."""
    shown = np.sort(np.random.default_rng(0).permutation(len(parts.rows))[:MAX_SHOWN])
    rows = [parts.rows[i] for i in shown]
    embeddings = parts.embeddings[shown]
    every = parts.labels
    labels = [every[i] for i in shown]
    pictures = thumbnails(rows, settings, progress("thumbnails", len(rows)))
    projections = project(embeddings, progress("projections", VIEWS))
    pairs = AllPairs(embeddings, labels)
    return {
        "images": {"label": labels, "path": [row.id for row in rows], "thumbnail": pictures},
        "views": {
            each.name: {"2": _columns(each.flat), "3": _columns(each.deep)} for each in projections
        },
        "variables": [_variable(each, parts, shown, pairs) for each in chosen(report, parts)],
    }


def chosen(report: SaliencyReport, parts: EmbeddedParts) -> list[Variable]:
    """Return the variables that can be chosen: the first salient ones, or else the very first."""
    names = [each.variable for each in report.variables if each.salient][:MAX_VARIABLES]
    fitted = {variable.name: variable for variable in parts.variables}
    return [fitted[name] for name in names or [report.variables[0].variable]]


def _variable(
    variable: Variable, parts: EmbeddedParts, shown: NDArray[np.intp], pairs: AllPairs
) -> dict[str, Any]:
    every = [background.get(variable.name) for background in parts.backgrounds]
    groups = group_values(variable, every)
    codes, values = groups.codes[shown], [every[i] for i in shown]
    numbers = None if variable.kind in NAMED else [variable.code(value) for value in values]
    return {
        "name": variable.name,
        "scale": _scale(variable),
        "period": variable.period,
        "groups": groups.names,
        "codes": codes.tolist(),
        "texts": ["" if is_missing(value) else as_text(value) for value in values],
        "numbers": numbers,
        "pairs": _pairs(pairs.by(codes, len(groups.names))),
    }


def _scale(variable: Variable) -> str:
    if variable.kind in NAMED:
        return "ordered" if variable.kind is Kind.ORDINAL else "names"
    return "cycle" if variable.kind is Kind.CYCLIC else "numbers"


def _pairs(pairs: Pairs) -> dict[str, Any]:
    return {
        "edges": _rounded(pairs.edges),
        "genuine": _distances(pairs.genuine),
        "impostor": _distances(pairs.impostor),
        "separation": [_rounded(row) for row in pairs.separation],
    }


def _distances(distances: Distances) -> dict[str, Any]:
    return {
        "counts": distances.counts.tolist(),
        "mean": [_rounded(row) for row in distances.mean],
    }


def _columns(points: NDArray[np.float64]) -> list[list[float | None]]:
    return [_rounded(column) for column in points.T]


def _rounded(values: Sequence[float] | NDArray[np.float64]) -> list[float | None]:
    """Return numbers with few digits; None for NaN, which JSON does not have."""
    return [float(f"{value:.{_SIGNIFICANT}g}") if np.isfinite(value) else None for value in values]


def thumbnails(
    rows: Sequence[ManifestRow], settings: Settings, on_done: Callable[[], None]
) -> list[str]:
    """Return each image as the base64 of a JPEG; empty where it cannot be read any more."""
    limits = Limits.of(settings)
    pictures = []
    for row in rows:
        try:
            pictures.append(_encoded(decode(row.path.read_bytes(), limits, at_least=SIDE)))
        except (BadInput, OSError):
            pictures.append("")
        on_done()
    return pictures


def _encoded(pixels: Pixels) -> str:
    height, width = pixels.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return b64encode(simplejpeg.encode_jpeg(small, quality=_QUALITY)).decode("ascii")


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
    """Write ``saliency.json`` and ``saliency.html``; the folder is made."""

    def progress(task: str, steps: int) -> Callable[[], None]:
        number = bar.add_task(task, total=steps)
        return lambda: bar.advance(number)

    with writing(folder):
        (folder / REPORT).write_text(report.model_dump_json(indent=1), encoding="utf-8")
        html = page(report, page_data(report, parts, settings, progress))
        (folder / PAGE).write_text(html, encoding="utf-8")
