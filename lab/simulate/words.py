"""How a simulation is put into words, for the terminal and in its report."""

from lab.evaluate.words import NOTHING, percent
from lab.shown.markdown import plain, table
from lab.simulate.frames import Frames
from lab.simulate.report import Entries, Shares, SimulationReport, SystemReport
from schemas.settings import Settings

COLUMNS = ("to a person", "wrong", "right", "FPIR met", "MAD out")

LEGEND = (
    "Shares in %. to a person: by quarter of the frames, in time order. wrong: of those that the "
    "matcher named, strangers among them, by quarter too. right: of the last quarter, those that "
    "it named rightly. FPIR met: of the strangers, whose identity was not enrolled when they came, "
    "those that it named all the same; so many came. MAD out: entries that MAD took out, + under "
    "the right name, − under a wrong one."
)

_MAD = "retention: mad"


def notes(seen: Frames, settings: Settings) -> tuple[str, ...]:
    """Say what is not as in a live system."""
    lines = []
    if seen.dated:
        lines.append(f"{seen.dated} images have a date but no time: each at a random moment")
    if seen.undated:
        lines.append(f"{seen.undated} images have neither time nor date: in random order")
    if settings.retention_max_age is not None:
        lines.append("retention by age is left out: it goes by the clock on the wall")
    return tuple(lines)


def summary(report: SimulationReport) -> str:
    """Return what is printed: a line for each variant."""
    rows = ([variant.name, *cells(variant)] for variant in report.variants)
    figures = table(["variant", *COLUMNS], rows, right=range(1, len(COLUMNS) + 1))
    return "\n\n".join([f"# {plain(heading(report))}", figures, plain(LEGEND)])


def heading(report: SimulationReport) -> str:
    """Say what came and what was asked for."""
    part = "" if report.split is None else f", test part of split {report.split}"
    poor = f", {percent(report.poor)} of them poor" if report.poor else ""
    return (
        f"{report.data}{part}: {report.frames} frames of {report.identities} identities{poor}; "
        f"FPIR asked {percent(report.fpir)}, answers {report.delay} frames later"
    )


def cells(variant: SystemReport) -> list[str]:
    """Return the cells below :data:`COLUMNS`."""
    return [
        _percents(variant.review_by_quarter, 0),
        _percents(variant.error_by_quarter, 0),
        _percents((variant.accuracy,), 1),
        f"{_percents((variant.fpir_met,), 1)} of {variant.strangers}",
        _counted(variant.quarantined.get(_MAD, Entries(right=0, wrong=0))),
    ]


def _percents(shares: Shares, digits: int) -> str:
    """Return (0.25, None) as ``25 –``."""
    return " ".join(NOTHING if share is None else f"{100 * share:.{digits}f}" for share in shares)


def _counted(entries: Entries) -> str:
    return f"+{entries.right} −{entries.wrong}"
