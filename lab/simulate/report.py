"""What a simulation came to, as it is written to ``simulation.json``."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from lab.shown.report import ReportPart

Shares = tuple[float | None, ...]


class Entries(ReportPart):
    """Entries of the gallery, by whether they bear their own identity."""

    right: int
    wrong: int


class Curves(ReportPart):
    """Shares in a trailing window of frames; null where too few are among them."""

    frames: tuple[int, ...] = Field(description="At the end of the window")
    review: Shares = Field(description="Went to a person, of all")
    error: Shares = Field(description="Wrong, of those that the matcher identified")


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

    review: float = Field(description="Share of the frames that went to a person")
    review_by_quarter: Shares = Field(description="Of the frames in time order")
    error: float | None = Field(description="Share of the identified frames that is wrong")
    error_by_quarter: Shares
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


class SimulationReport(ReportPart):
    """All variants, and what they share."""

    data: str
    made_at: datetime
    model: str = Field(description="Version of the model that embedded")
    split: int | None = Field(description="Whose test part came; null: all labelled images")
    frames: int
    identities: int
    fpir: float = Field(description="The FPIR asked for")
    delay: int = Field(description="Frames that pass before an answer is there")
    poor: float = Field(description="Share of the images that were cropped or blurred")
    seed: int
    window: int = Field(description="Frames that a point of the curves is about")
    notes: tuple[str, ...] = Field(description="What is not as in a live system")
    refused: Mapping[str, str] = Field(description="Why an image was left out, by its path")
    variants: tuple[SystemReport, ...]
