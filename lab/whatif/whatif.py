"""False matches against review load, for thresholds that nobody has set yet."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import Field
from rich.progress import Progress

from client.gallery import Gallery
from client.recent import Material, Probes
from lab.shown.report import ReportPart
from lab.whatif.answers import Answers, Strangers, Verified, counted, given, verify
from lab.whatif.replay import Replay, unlike
from recognition.bootstrap import Interval
from recognition.cluster import EVERYWHERE
from schemas.conditioning import ArtefactRef
from schemas.embedding import Embedding
from schemas.errors import SetupError
from schemas.gallery import Status
from schemas.settings import Settings
from streams.conditioning.placement import Placement
from streams.index.base import GalleryState

FPIRS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


class ExpectedShare(NamedTuple):
    """A share of all probes, and within what it will lie in 95 of 100 cases."""

    share: float
    low: float
    high: float


class CurvePoint(ReportPart):
    """What happens to the probes at one FPIR."""

    fpir: float
    asked: bool = Field(description="Whether this is the FPIR that is asked for at present")
    review: float = Field(description="Share of the probes that go to review")
    identified: float
    false_matches: ExpectedShare = Field(
        description="Share of the probes that are strangers and get a name, as to be expected"
    )
    verified: Verified | None = Field(description="Of the probes that people named")


class WhatIf(ReportPart):
    """The whole curve, and what it rests on."""

    model: str
    conditioning: ArtefactRef | None
    probes: int
    left_out: int = Field(description="Embeddings of other models, or that cannot be used")
    entries: int
    identities: int
    strangers: Strangers
    points: tuple[CurvePoint, ...]
    unlike: str | None = Field(description="How the running system seems to be set otherwise")


def model_of(gallery: Gallery, probes: Probes) -> str:
    """Return the model that most probes are of, among those that the gallery has.

    Raises:
        SetupError: there are no probes or no entries, or they have no model in common.
    """
    if not probes.embeddings:
        raise SetupError(
            "there are no embeddings to replay: `perennial publish` frames while `perennial "
            "worker` runs, or set PERENNIAL_TOPIC_PREFIX to the deployment that you mean"
        )
    held = {e.model for e in gallery.entries.values() if e.status is Status.ACTIVE}
    if not held:
        raise SetupError(
            "the gallery is empty, so every probe goes to review: `perennial enrol` labelled "
            "images, or answer reviews"
        )
    seen = Counter(probe.model for probe in probes.embeddings)
    known = Counter({model: count for model, count in seen.items() if model in held})
    if not known:
        raise SetupError(
            f"the gallery holds entries of {', '.join(sorted(held))}, and the embeddings are of "
            f"{', '.join(sorted(seen))}: `perennial enrol` again with the model that runs"
        )
    return known.most_common(1)[0][0]


async def what_if(
    settings: Settings,
    active: ArtefactRef | None,
    material: Material,
    fpirs: Sequence[float],
    bar: Progress,
    *,
    share: float | None = None,
    live: GalleryState | None = None,
) -> WhatIf:
    """Answer the probes at each FPIR, against the present gallery.

    Args:
        settings: with the FPIR of plain models.
        fpirs: to be tried, beside the one that is asked for at present.
        share: of strangers among the probes; None: by what people said.
        live: what the running index says of itself, to see whether it is set alike.

    Raises:
        SetupError: there is nothing to replay, or the conditioning cannot be read.
    """
    model = model_of(material.gallery, material.probes)
    probes = [probe for probe in material.probes.embeddings if probe.model == model]
    replay = await Replay.of(material.gallery.entries.values(), active, settings)
    strangers = _strangers(probes, material, share)
    asked = asked_of(replay.placement, model, settings)
    every = sorted({*fpirs, asked})
    task = bar.add_task("replaying", total=len(probes) * len(every))
    points = []
    for fpir in every:
        state = replay.at_fpir(model, fpir)
        answers = await replay.answers(probes, lambda: bar.advance(task), state)
        expected = _expected(replay.interval(model, strangers.identities), fpir, strangers.share)
        points.append(_point(fpir, answers, expected, material.identities, asked=fpir == asked))
    shard, answered = replay.state.models[model][EVERYWHERE], len(answers)
    return WhatIf(
        model=model,
        conditioning=active,
        probes=answered,
        left_out=len(material.probes.embeddings) + material.probes.unusable - answered,
        entries=shard.entries,
        identities=shard.identities,
        strangers=strangers,
        points=tuple(points),
        unlike=unlike(live, replay.state),
    )


def asked_of(placement: Placement, model: str, settings: Settings) -> float:
    """Return the FPIR that is asked for at present: a conditioning brings its own."""
    artefact = placement.artefact
    return settings.target_fpir if artefact is None or artefact.model != model else artefact.fpir


def _strangers(probes: Sequence[Embedding], material: Material, share: float | None) -> Strangers:
    if share is not None:
        return given(share, len(probes))
    ids = [probe.event_id for probe in probes]
    return counted(ids, material.people, material.gallery.since)


def _expected(interval: Interval | None, fpir: float, share: float) -> ExpectedShare:
    """Return the expected share of false matches among all probes, a ``share`` being strangers."""
    if interval is None:
        return ExpectedShare(0, 0, 0)
    return ExpectedShare(share * fpir, share * interval.low, share * interval.high)


def _point(
    fpir: float,
    answers: Answers,
    expected: ExpectedShare,
    identities: Mapping[str, str],
    *,
    asked: bool,
) -> CurvePoint:
    review = sum(answer.identity is None for answer in answers.values()) / max(len(answers), 1)
    return CurvePoint(
        fpir=fpir,
        asked=asked,
        review=review,
        identified=1 - review,
        false_matches=expected,
        verified=verify(answers, identities) if identities else None,
    )
