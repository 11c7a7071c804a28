"""The report as Markdown: a summary for the terminal, and the whole page."""

from collections.abc import Callable, Iterator

from lab.evaluate.measures import FPIR, RANK1, REVIEW, TPIR, at
from lab.evaluate.report import Evaluation, Group, Mean, Scenario
from lab.evaluate.scored import OperatingTarget, Rule
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
    milliseconds,
    percent,
    point_cells,
    spread,
    whole,
)
from lab.shown.markdown import plain, table


def summary(evaluation: Evaluation) -> str:
    """Return what is printed: overall measures, operating points and differences."""
    title = plain(f"{evaluation.data}: {evaluation.images} images")
    return "\n\n".join([f"# {title}", *_measured(evaluation, spread)]) + "\n"


def markdown(evaluation: Evaluation) -> str:
    """Return the whole report as a page."""
    sections = [f"# Evaluation of {plain(evaluation.data)}", _about(evaluation)]
    sections += _measured(evaluation, whole)
    for variable in evaluation.variables:
        sections += [f"## By {plain(variable)}", _by(evaluation, variable)]
    return "\n\n".join(sections) + "\n"


def _measured(evaluation: Evaluation, overall: Callable[[Mean | None], str]) -> Iterator[str]:
    """Yield what both have; ``overall`` puts the measures of all probes into words."""
    yield from ("## Overall", _overall(evaluation, overall))
    yield from ("## At an FPIR", plain(LEGEND), _points(evaluation))
    if evaluation.differences:
        yield from ("## Differences", plain(INTERVALS), _differences(evaluation))
    if any(variant.heads for variant in evaluation.variants):
        yield from (f"## {HEADS}", plain(HEADS_LEGEND), _heads(evaluation))


def _cells(evaluation: Evaluation) -> Iterator[tuple[str, str, Scenario]]:
    """Yield scenario name, variant name and what was measured, variants of a scenario together."""
    for scenario in dict.fromkeys(s for v in evaluation.variants for s in v.scenarios):
        for variant in evaluation.variants:
            yield scenario, variant.name, variant.scenarios[scenario]


def _about(evaluation: Evaluation) -> str:
    lines = [f"- {evaluation.images} images, {len(evaluation.refused)} refused"]
    for variant in evaluation.variants:
        parts = [f"{variant.distance} distance", ", ".join(dict.fromkeys(variant.models.values()))]
        if variant.image_ms is not None:
            parts.append(f"{variant.image_ms:.1f} ms an image")
        lines.append(f"- {plain(variant.name)}: {plain('; '.join(filter(None, parts)))}")
    seen = {}
    for scenario, _, measured in _cells(evaluation):
        seen[scenario] = [
            f"{size.split}: {size.gallery} in the gallery, {size.known} known and {size.unknown} "
            f"unknown probes of {size.identities} identities"
            for size in measured.sizes
        ]
    lines += [f"- {plain(scenario)}, split {'; '.join(sizes)}" for scenario, sizes in seen.items()]
    lines.append(f"- {INTERVALS[:-1]}, {evaluation.draws} draws")
    return "\n".join(lines)


def _overall(evaluation: Evaluation, words: Callable[[Mean | None], str]) -> str:
    cost = {variant.name: milliseconds(variant.image_ms) for variant in evaluation.variants}
    rows = [
        [scenario, name, *(words(measured.measures.get(key)) for key in OVERALL), cost[name]]
        for scenario, name, measured in _cells(evaluation)
    ]
    return table(["scenario", "model", *OVERALL.values(), "ms/image"], rows)


def _points(evaluation: Evaluation) -> str:
    rows = [
        [scenario, name, percent(fpir), *point_cells(measured, fpir)]
        for scenario, name, measured in _cells(evaluation)
        for fpir in evaluation.fpirs
    ]
    return table(["scenario", "model", "FPIR", *(h for h, _, _ in POINT_COLUMNS)], rows)


def _differences(evaluation: Evaluation) -> str:
    points = [f"TPIR at {percent(fpir)}" for fpir in evaluation.fpirs]
    rows = [
        [scenario, difference.variant, *compared(evaluation, difference, scenario)]
        for difference in evaluation.differences
        for scenario in difference.scenarios
    ]
    baseline = evaluation.differences[0].baseline
    return table(["scenario", f"more than {baseline}", *OVERALL.values(), *points], rows)


def _heads(evaluation: Evaluation) -> str:
    rows = [
        [variant.name, *head_cells(head)]
        for variant in evaluation.variants
        for head in variant.heads
    ]
    return table(["model", *HEAD_COLUMNS], rows)


def _by(evaluation: Evaluation, variable: str) -> str:
    """Break down at the largest FPIR asked for, where there is most to see."""
    fpir = evaluation.fpirs[-1]
    heading = ["scenario", "model", variable, "known", "unknown", "rank-1"]
    heading += [f"TPIR oracle, {percent(fpir)}", "FPIR met", "TPIR honest", "FPIR met", "to review"]
    rows = [
        [scenario, name, group.value, str(group.known), str(group.unknown), *_group(group, fpir)]
        for scenario, name, measured in _cells(evaluation)
        for group in measured.by.get(variable, ())
    ]
    return table(heading, rows)


def _group(group: Group, fpir: float) -> Iterator[str]:
    oracle, honest = OperatingTarget(fpir, Rule.ORACLE), OperatingTarget(fpir, Rule.HONEST)
    names = [RANK1, at(TPIR, oracle), at(FPIR, oracle)]
    names += [at(measure, honest) for measure in (TPIR, FPIR, REVIEW)]
    return (between(group.measures.get(name)) for name in names)
