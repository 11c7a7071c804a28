"""What a simulation came to, as it is written to ``simulation.json`` and put into words."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from lab.evaluate.words import NOTHING, percent
from lab.shown.markdown import plain, table
from lab.shown.report import ReportPart
from lab.simulate.frames import Frames
from schemas.settings import Settings

Shares = tuple[float | None, ...]
COLUMNS = ("to a person", "min", "wrong", "of all", "right", "FPIR met", "MAD out")

LEGEND = (
    "Shares in %. to a person: by quarter of the frames, {order}. min: minutes of a person's time "
    "for all of them, at 400 decisions an hour. wrong: of those that the matcher named, strangers "
    "among them, by quarter too; then of all frames, whoever named them. right: of the last "
    "quarter, those that the matcher named rightly. FPIR met: of the strangers, whose identity was "
    "not enrolled when they came, those that it named all the same; so many came. MAD out: entries "
    "that MAD took out, + under the right name, − under a wrong one."
)

_MAD = "retention: mad"


class Entries(ReportPart):
    """Entries of the gallery, by whether they bear their own identity."""

    right: int
    wrong: int


class Curves(ReportPart):
    """Shares in a trailing window of frames; null where too few are among them."""

    frames: tuple[int, ...] = Field(description="At the end of the window")
    review: Shares = Field(description="Went to a person, of all")
    error: Shares = Field(description="Wrong, of those that the matcher identified")


class DecisionCurve(ReportPart):
    """What decisions of people brought: from nothing, over the frames as they came, to all."""

    decisions: tuple[int, ...] = Field(description="Frames so far that went to a person")
    right: tuple[float, ...] = Field(
        description="Share of all frames of the simulation that came so far and were named "
        "rightly, by the matcher or by a person"
    )


class SystemReport(ReportPart):
    """One variant of the system on all frames."""

    name: str = Field(description="The parts that tell it from the others")
    parts: tuple[str, ...] = Field(
        description="Conditioning, retention, inclusion and answers in words"
    )
    conditioning: str = Field(description="The name of its folder, or `none`")
    version: str | None = Field(description="Of the conditioning")
    mad: float | None = Field(description="Modified z-score above which an entry is taken out")
    include: bool
    wrong_answers: float = Field(description="Share of the answers that was to be wrong")

    decisions: int = Field(description="Answers that people gave")
    minutes: float = Field(description="Of a person's time, at 400 decisions an hour")
    review: float = Field(description="Share of the frames that went to a person")
    review_by_quarter: Shares = Field(description="Of the frames as they came")
    error: float | None = Field(description="Share of the identified frames that is wrong")
    error_by_quarter: Shares
    wrong_of_all: float = Field(
        description="Share of all frames that ended under a wrong name, whoever gave it"
    )
    accuracy: float | None = Field(
        description="Of the last quarter of the frames the share that the matcher identified "
        "rightly, without a person"
    )
    strangers: int = Field(description="Frames whose identity was not enrolled when they came")
    stranger_identities: int
    fpir_met: float | None = Field(description="Share of these that was identified all the same")

    answered: Entries = Field(description="Enrolled as a person answered, quarantined ones too")
    included: Entries = Field(description="Enrolled by the inclusion rule, quarantined ones too")
    gallery: Entries = Field(description="Active in the end")
    quarantined: Mapping[str, Entries] = Field(description="By the reason")

    frames_per_s: float
    curves: Curves
    by_decisions: DecisionCurve


class SimulationReport(ReportPart):
    """All variants, and what they share."""

    data: str
    made_at: datetime
    model: str = Field(description="Version of the model that embedded")
    split: int | None = Field(description="Whose test part came; null: all labelled images")
    frames: int
    timed: int = Field(description="Frames whose time or date is known; none: no order in time")
    identities: int
    fpir: float = Field(description="The FPIR asked for")
    delay: int = Field(description="Frames that pass before an answer is there")
    poor: float = Field(description="Share of the images that were cropped or blurred")
    seed: int
    window: int = Field(description="Frames that a point of the curves is about")
    notes: tuple[str, ...] = Field(description="What is not as in a live system")
    refused: Mapping[str, str] = Field(description="Why an image was left out, by its path")
    variants: tuple[SystemReport, ...]


def notes(seen: Frames, settings: Settings) -> tuple[str, ...]:
    """Say what is not as in a live system."""
    lines = []
    if seen.dated:
        lines.append(
            f"{seen.dated} images have a date but no time: each clip, or image outside of one, at "
            "a random moment of the day"
        )
    if not seen.timed:
        lines.append("no image has a time or a date: random order, in which quarters are no times")
    elif seen.undated:
        lines.append(f"{seen.undated} images have neither time nor date: at random places")
    if settings.retention_max_age is not None:
        lines.append("retention by age is left out: it goes by the clock on the wall")
    return tuple(lines)


def order(report: SimulationReport) -> str:
    """Say in which order the frames came."""
    return "in time order" if report.timed else "in random order"


def summary(report: SimulationReport) -> str:
    """Return what is printed: a line for each variant."""
    rows = ([variant.name, *cells(variant)] for variant in report.variants)
    figures = table(["variant", *COLUMNS], rows, right=range(1, len(COLUMNS) + 1))
    return "\n\n".join(
        [f"# {plain(heading(report))}", figures, plain(LEGEND.format(order=order(report)))]
    )


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
        f"{variant.minutes:.0f}",
        _percents(variant.error_by_quarter, 0),
        _percents((variant.wrong_of_all,), 1),
        _percents((variant.accuracy,), 1),
        f"{_percents((variant.fpir_met,), 1)} of {variant.strangers}",
        _counted(variant.quarantined.get(_MAD, Entries(right=0, wrong=0))),
    ]


def _percents(shares: Shares, digits: int) -> str:
    """Return (0.25, None) as ``25 –``."""
    return " ".join(NOTHING if share is None else f"{100 * share:.{digits}f}" for share in shares)


def _counted(entries: Entries) -> str:
    return f"+{entries.right} −{entries.wrong}"
