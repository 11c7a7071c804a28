"""The result of an evaluation, as it is written to ``evaluation.json``.

Measures go by name: ``rank1`` (share of known probes whose nearest entry is theirs), ``map`` (mean
average precision of their ranking of the gallery), ``auroc`` (known against unknown probes by the
distance to the nearest entry), and ``<measure>@<FPIR asked>/<rule>``, of ``tpir``, ``fpir`` (really
met) and ``review`` (share of all probes that a person would get), where the rule that fixes the
threshold is ``oracle``, ``honest`` or ``gallery``. Everything is null where it cannot be measured.
"""

from datetime import datetime

from pydantic import Field

from lab.shown.report import ReportPart


class SplitEstimate(ReportPart):
    """A measure on one split, between the ends of its 95 % interval."""

    split: int
    value: float | None
    low: float | None
    high: float | None


class Mean(ReportPart):
    """The mean of a measure over splits.

    The interval is that of the mean, 95 %, by resampling identities: the same ones in all splits,
    which share them. It does not count how a model differs from one training to the next; the
    spread over the splits shows that.
    """

    mean: float | None
    spread: float | None = Field(description="Standard deviation over the splits; null for one")
    low: float | None
    high: float | None


class Estimate(Mean):
    """The mean, and what it is the mean of."""

    splits: tuple[SplitEstimate, ...] = Field(description="Each split; not in a breakdown")


class Group(ReportPart):
    """The probes with one value of a background variable, at the thresholds of the whole trial."""

    value: str
    known: int = Field(description="Known probes, in all splits together")
    unknown: int = Field(description="Unknown probes, in all splits together")
    measures: dict[str, Estimate]


class SplitSize(ReportPart):
    """What a split tests with, and at which distance it accepts."""

    split: int
    gallery: int
    known: int
    unknown: int
    identities: int = Field(description="Identities among the probes")
    thresholds: dict[str, float | None] = Field(description="By `<FPIR asked>/<rule>`")


class Scenario(ReportPart):
    """One scenario of one variant."""

    sizes: tuple[SplitSize, ...]
    measures: dict[str, Estimate]
    by: dict[str, tuple[Group, ...]] = Field(description="By background variable")


class HeadReport(ReportPart):
    """What an auxiliary head tells of a background variable of the test images of each split."""

    variable: str
    aim: str = Field(description="`predict`, or `reverse` or `erase`: it shall be hard to tell")
    measure: str = Field(
        description="Balanced accuracy, more is better; or an error in the variable's unit"
    )
    value: float | None = Field(description="Mean over the splits")
    spread: float | None = Field(description="Standard deviation over the splits; null for one")
    chance: float | None = Field(description="Of the same guess for every image, likewise")
    images: int = Field(description="Images that have the variable, in all splits together")


class ModelReport(ReportPart):
    """A model compared by a distance."""

    name: str
    distance: str
    models: dict[int, str] = Field(description="Version of the model that embedded, by split")
    image_ms: float | None = Field(description="Time of the forward passes for one image")
    scenarios: dict[str, Scenario]
    heads: tuple[HeadReport, ...] = Field((), description="Empty for a model without heads")


class Difference(ReportPart):
    """How much more a variant has than the first one, paired by identity."""

    variant: str
    baseline: str
    scenarios: dict[str, dict[str, Estimate]]


class Evaluation(ReportPart):
    """Everything that was measured."""

    data: str
    made_at: datetime
    fpirs: tuple[float, ...]
    draws: int = Field(description="Bootstrap draws behind each interval")
    images: int
    refused: dict[str, str] = Field(description="Why an image was left out, by its path")
    variables: dict[str, tuple[str, ...]] = Field(description="What was broken down by: its values")
    variants: tuple[ModelReport, ...]
    differences: tuple[Difference, ...]
