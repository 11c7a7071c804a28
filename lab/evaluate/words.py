"""How measures and numbers are put into words, on the screen and on paper."""

from lab.evaluate.measures import AUROC, FPIR, MAP, RANK1, REVIEW, TPIR, at
from lab.evaluate.report import Difference, Evaluation, HeadReport, Mean, Scenario
from lab.evaluate.scored import OperatingTarget, Rule

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
