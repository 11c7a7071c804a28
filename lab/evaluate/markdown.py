"""The report as Markdown tables."""

from collections.abc import Iterator

from lab.evaluate.measures import FPIR, RANK1, REVIEW, TPIR, at
from lab.evaluate.report import Evaluation, Group
from lab.evaluate.screen import cells
from lab.evaluate.thresholds import Point, Rule
from lab.evaluate.words import (
    HEAD_COLUMNS,
    HEADS,
    HEADS_LEGEND,
    INTERVALS,
    LEGEND,
    OVERALL,
    POINT_COLUMNS,
    between,
    compared,
    head_cells,
    percent,
    point_cells,
    whole,
)
from lab.shown.markdown import table


def markdown(evaluation: Evaluation) -> str:
    """Return the whole report as a page."""
    sections = [
        f"# Evaluation of {evaluation.data}",
        _about(evaluation),
        "## Overall",
        _overall(evaluation),
        "## At an FPIR",
        LEGEND,
        _points(evaluation),
    ]
    if evaluation.differences:
        sections += ["## Differences", _differences(evaluation)]
    if any(variant.heads for variant in evaluation.variants):
        sections += [f"## {HEADS}", HEADS_LEGEND, _heads(evaluation)]
    for variable in evaluation.variables:
        sections += [f"## By {variable}", _by(evaluation, variable)]
    return "\n\n".join(sections) + "\n"


def _about(evaluation: Evaluation) -> str:
    lines = [f"- {evaluation.images} images, {len(evaluation.refused)} refused"]
    for variant in evaluation.variants:
        told = [f"{variant.distance} distance", ", ".join(dict.fromkeys(variant.models.values()))]
        if variant.image_ms is not None:
            told.append(f"{variant.image_ms:.1f} ms an image")
        lines.append(f"- {variant.name}: {'; '.join(filter(None, told))}")
    seen = {}
    for scenario, _, measured in cells(evaluation):
        seen[scenario] = [
            f"{size.split}: {size.gallery} in the gallery, {size.known} known and {size.unknown} "
            f"unknown probes of {size.identities} identities"
            for size in measured.sizes
        ]
    lines += [f"- {scenario}, split {'; '.join(sizes)}" for scenario, sizes in seen.items()]
    lines.append(f"- {INTERVALS[:-1]}, {evaluation.draws} draws")
    return "\n".join(lines)


def _overall(evaluation: Evaluation) -> str:
    rows = []
    for scenario, name, measured in cells(evaluation):
        estimates = [measured.measures.get(key) for key in OVERALL]
        rows.append([scenario, name, *map(whole, estimates)])
    return table(["scenario", "model", *OVERALL.values()], rows)


def _points(evaluation: Evaluation) -> str:
    rows = [
        [scenario, name, percent(fpir), *point_cells(measured, fpir)]
        for scenario, name, measured in cells(evaluation)
        for fpir in evaluation.fpirs
    ]
    return table(["scenario", "model", "FPIR", *(h for h, _, _ in POINT_COLUMNS)], rows)


def _differences(evaluation: Evaluation) -> str:
    points = [f"TPIR at {percent(fpir)}" for fpir in evaluation.fpirs]
    rows = [
        [scenario, f"{one.variant} − {one.baseline}", *compared(evaluation, one, scenario)]
        for one in evaluation.differences
        for scenario in one.scenarios
    ]
    return table(["scenario", "models", *OVERALL.values(), *points], rows)


def _heads(evaluation: Evaluation) -> str:
    rows = [[one.name, *head_cells(head)] for one in evaluation.variants for head in one.heads]
    return table(["model", *HEAD_COLUMNS], rows)


def _by(evaluation: Evaluation, variable: str) -> str:
    """Break down at the largest FPIR asked for, where there is most to see."""
    fpir = evaluation.fpirs[-1]
    heading = ["scenario", "model", variable, "known", "unknown", "rank-1"]
    heading += [f"TPIR oracle, {percent(fpir)}", "FPIR met", "TPIR honest", "FPIR met", "to review"]
    rows = [
        [scenario, name, group.value, str(group.known), str(group.unknown), *_group(group, fpir)]
        for scenario, name, measured in cells(evaluation)
        for group in measured.by.get(variable, ())
    ]
    return table(heading, rows)


def _group(group: Group, fpir: float) -> Iterator[str]:
    oracle, honest = Point(fpir, Rule.ORACLE), Point(fpir, Rule.HONEST)
    names = [RANK1, at(TPIR, oracle), at(FPIR, oracle)]
    names += [at(measure, honest) for measure in (TPIR, FPIR, REVIEW)]
    return (between(group.measures.get(name)) for name in names)
