"""The report as tables on the screen."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from lab.evaluate.report import Evaluation, Scenario
from lab.evaluate.words import (
    HEAD_COLUMNS,
    HEADS,
    HEADS_LEGEND,
    INTERVALS,
    LEGEND,
    OVERALL,
    POINT_COLUMNS,
    compared,
    head_cells,
    milliseconds,
    percent,
    point_cells,
    spread,
)
from lab.shown.tables import table


def screen(evaluation: Evaluation) -> RenderableType:
    """Return what is printed: overall measures, operating points and differences."""
    parts: list[RenderableType] = [
        Text(f"{evaluation.data}: {evaluation.images} images", style="bold"),
        _overall(evaluation),
        _points(evaluation),
    ]
    legend = LEGEND
    if evaluation.differences:
        parts.append(_differences(evaluation))
        legend = f"{legend} {INTERVALS}"
    parts.append(Text(legend, style="dim"))
    if any(variant.heads for variant in evaluation.variants):
        parts += [Text(HEADS, style="bold"), _heads(evaluation), Text(HEADS_LEGEND, style="dim")]
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def cells(evaluation: Evaluation) -> Iterator[tuple[str, str, Scenario]]:
    """Yield scenario name, variant name and what was measured, variants of a scenario together."""
    for scenario in dict.fromkeys(s for v in evaluation.variants for s in v.scenarios):
        for variant in evaluation.variants:
            yield scenario, variant.name, variant.scenarios[scenario]


def _overall(evaluation: Evaluation) -> RenderableType:
    cost = {variant.name: milliseconds(variant.image_ms) for variant in evaluation.variants}
    grid = table("scenario", "model", *OVERALL.values(), "ms/image")
    for scenario, name, measured in cells(evaluation):
        figures = (spread(measured.measures.get(key)) for key in OVERALL)
        grid.add_row(scenario, name, *figures, cost[name])
    return grid


def _points(evaluation: Evaluation) -> RenderableType:
    grid = table("scenario", "model", "FPIR", *(heading for heading, _, _ in POINT_COLUMNS))
    for scenario, name, measured in cells(evaluation):
        for fpir in evaluation.fpirs:
            grid.add_row(scenario, name, percent(fpir), *point_cells(measured, fpir))
    return grid


def _differences(evaluation: Evaluation) -> RenderableType:
    baseline = evaluation.differences[0].baseline
    points = (f"TPIR at {percent(fpir)}" for fpir in evaluation.fpirs)
    grid = table("scenario", f"more than {baseline}", *OVERALL.values(), *points)
    for difference in evaluation.differences:
        for scenario in difference.scenarios:
            grid.add_row(scenario, difference.variant, *compared(evaluation, difference, scenario))
    return grid


def _heads(evaluation: Evaluation) -> RenderableType:
    grid = table("model", *HEAD_COLUMNS)
    for variant in evaluation.variants:
        for head in variant.heads:
            grid.add_row(variant.name, *head_cells(head))
    return grid
