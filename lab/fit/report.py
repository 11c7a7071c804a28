"""What a fit found, as it is kept in ``conditioning.json`` and printed."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from lab.shown.report import ReportPart
from recognition.calibration import Bin


class SampleSize(ReportPart):
    """How many images and identities."""

    images: int
    identities: int


class Origin(ReportPart):
    """What a fit was made from."""

    data: str
    made_at: datetime
    model: str = Field(description="Version of the model that embedded")
    split: int = Field(description="Whose train and calibrate parts were used")
    fpir: float = Field(description="Asked for")
    seen: SampleSize = Field(description="What statistics and local scales are made from")
    held_out: SampleSize = Field(description="What chooses, sets thresholds and calibrates")
    refused: Mapping[str, str] = Field(description="Why an image was left out, by its path")
    left_out: Mapping[str, str] = Field(description="Why a variable was not looked at, by its name")


class WeightReport(ReportPart):
    """What a variable does, and how much it counts."""

    variable: str
    role: str
    weight: float | None = Field(description="Null: it has no part in the clusters")
    meaning: str


class WayReport(ReportPart):
    """One way to condition, beside plain distances."""

    way: str
    tpir: float = Field(description="Mean over the trials")
    gain: float = Field(description="Over the TPIR of plain distances")
    low: float = Field(description="95 % interval of the gain")
    high: float


class RaceReport(ReportPart):
    """All ways that were tried on the held-out identities, and which was chosen."""

    fpir: float = Field(description="At which they are compared")
    ways: tuple[WayReport, ...] = Field(description="Plain distances first")
    chosen: int = Field(description="Which of them")
    one_cluster: int = Field(description="The same as that, without clusters")


class ClusterReport(ReportPart):
    """One cluster."""

    name: str
    description: str
    strangers: int = Field(description="Held-out identities that set its threshold")
    threshold: float = Field(description="As a multiple of that of all clusters together")


class ExpectedFpir(ReportPart):
    """The FPIR to be expected where one is asked for."""

    fpir: float
    low: float = Field(description="95 % interval, for as many strangers as were held out")
    high: float
    threshold: float = Field(description="In the median gallery, of all clusters together")


class FitReport(ReportPart):
    """All figures of a fit; they decide nothing."""

    origin: Origin
    variables: tuple[WeightReport, ...] = Field(description="The heaviest first")
    race: RaceReport
    clusters: tuple[ClusterReport, ...]
    gallery: int = Field(description="Entries of the median gallery")
    expected: tuple[ExpectedFpir, ...]
    calibration_error: float | None = Field(
        description="Mean distance of probability and share right, for identities not fitted to"
    )
    reliability: tuple[Bin, ...]

    @property
    def chosen(self) -> WayReport:
        """The way that was chosen."""
        return self.race.ways[self.race.chosen]

    @property
    def asked(self) -> ExpectedFpir:
        """What is to be expected at the FPIR asked for."""
        return next(each for each in self.expected if each.fpir == self.origin.fpir)
