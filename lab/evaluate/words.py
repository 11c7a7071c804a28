"""The report in words and as Markdown: a summary for the terminal, and the whole page."""

from collections.abc import Callable, Iterator

from lab.evaluate.measures import AUROC, FPIR, MAP, RANK1, REVIEW, TPIR, at
from lab.evaluate.report import Difference, Evaluation, Group, HeadReport, Mean, Scenario
from lab.evaluate.scored import OperatingTarget, Rule
from lab.shown.markdown import plain, table

NOTHING = "–"

OVERALL = {RANK1: "rank-1", MAP: "mAP", AUROC: "AUROC"}

POINT_COLUMNS = (
    ("TPIR oracle", TPIR, Rule.ORACLE),
    ("TPIR honest", TPIR, Rule.HONEST),
    ("FPIR met", FPIR, Rule.HONEST),
    ("to review", REVIEW, Rule.HONEST),
    ("TPIR gallery τ", TPIR, Rule.GALLERY),
    ("FPIR met", FPIR, Rule.GALLERY),
)
"""What is said at each FPIR that is asked for: heading, measure, rule."""

LEGEND = (
    "TPIR: share of the known probes that are found under their name. FPIR: share of the unknown "
    "ones that are given one. oracle: τ is taken from the test's own impostors, so the FPIR is "
    "met; honest: from the calibrate part; gallery τ: from the gallery's own entries, as the "
    "stream does. ± is the standard deviation over the splits. "
    "ms/image is what the forward passes take."
)

HEADS = "What the heads tell of the background"

HEAD_COLUMNS = ("variable", "aim", "measure", "told", "by chance", "images")

HEADS_LEGEND = (
    "Of the test images. Of a balanced accuracy more is better, of an error, in the variable's "
    "unit, less; by chance is the same guess for every image. What is to be erased or reversed "
    "shall come near that. ± is the standard deviation over the splits."
)

INTERVALS = "[ ] is the 95 % interval of the mean over the splits, by resampling identities."


def percent(share: float) -> str:
    """Return 0.001 as ``0.1 %``."""
    return f"{100 * share:g} %"


def milliseconds(value: float | None) -> str:
    """Return 1.25 as ``1.2``."""
    return NOTHING if value is None else f"{value:.1f}"


def spread(estimate: Mean | None) -> str:
    """Return the mean, and the deviation over the splits where there is more than one."""
    return NOTHING if estimate is None else _deviating(estimate.mean, estimate.spread)


def between(estimate: Mean | None) -> str:
    """Return the mean and its interval."""
    if estimate is None or estimate.mean is None:
        return NOTHING
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.3f}"
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def whole(estimate: Mean | None) -> str:
    """Return the mean, the deviation over the splits and the interval."""
    if estimate is None or estimate.mean is None:
        return NOTHING
    return spread(estimate) + between(estimate).removeprefix(f"{estimate.mean:.3f}")


def change(estimate: Mean | None) -> str:
    """Return a difference with its sign and interval."""
    if estimate is None or estimate.mean is None or estimate.low is None or estimate.high is None:
        return NOTHING
    return f"{estimate.mean:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"


def point_cells(scenario: Scenario, fpir: float) -> list[str]:
    """Return the cells below :data:`POINT_COLUMNS`."""
    return [
        spread(scenario.measures.get(at(measure, OperatingTarget(fpir, rule))))
        for _, measure, rule in POINT_COLUMNS
    ]


def head_cells(head: HeadReport) -> list[str]:
    """Return the cells below :data:`HEAD_COLUMNS`."""
    value, chance = _deviating(head.value, head.spread), _deviating(head.chance, None)
    return [head.variable, head.aim, head.measure, value, chance, str(head.images)]


def compared(evaluation: Evaluation, difference: Difference, scenario: str) -> list[str]:
    """Return the cells of a difference: rank-1, mAP, AUROC, then the oracle TPIR at each FPIR."""
    measures = difference.scenarios[scenario]
    names = [*OVERALL, *(at(TPIR, OperatingTarget(f, Rule.ORACLE)) for f in evaluation.fpirs)]
    return [change(measures.get(name)) for name in names]


def _deviating(value: float | None, deviation: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:.3f}" if deviation is None else f"{value:.3f} ± {deviation:.3f}"


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
