"""Looking at the background variables of a manifest, from images to findings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.progress import Progress

from lab.images.samples import EmbeddedParts, PartsRequest, embed_parts
from lab.saliency.report import SaliencyReport, VariableReport
from recognition.distance import FloatArray
from recognition.saliency import GainOf, rank, saliency
from schemas.settings import Settings

Gains = Callable[[FloatArray, Sequence[str]], GainOf]
"""Takes embeddings (n, d) and their labels; gives what measures the gain of a clustering."""


@dataclass(frozen=True, slots=True)
class SaliencyRequest(PartsRequest):
    """What is asked: ``permutations`` are the shuffles behind a p-value."""

    permutations: int


def run(
    request: SaliencyRequest, settings: Settings, bar: Progress, gains: Gains | None = None
) -> tuple[SaliencyReport, EmbeddedParts]:
    """Rank the background variables; return the report, and the images behind it."""
    parts = embed_parts(request, settings, bar)
    gain = None if gains is None else gains(parts.embeddings, parts.labels)
    findings = [
        saliency(
            parts.embeddings,
            parts.labels,
            variable,
            [background.get(variable.name) for background in parts.backgrounds],
            gain=gain,
            permutations=request.permutations,
        )
        for variable in bar.track(parts.variables, description="looking at variables")
    ]
    report = SaliencyReport(
        data=parts.data,
        made_at=datetime.now(UTC),
        model=parts.model,
        split=parts.split,
        images=len(parts.rows),
        identities=len(set(parts.labels)),
        permutations=request.permutations,
        refused=parts.refused,
        left_out=parts.left_out,
        variables=tuple(VariableReport.model_validate(finding) for finding in rank(findings)),
    )
    return report, parts
