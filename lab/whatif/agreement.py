"""Recent probes answered by what is active and by what is to be, and what that would change."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field
from rich.progress import Progress

from client.activation import Present
from client.recent import Material
from lab.shown.report import ReportPart
from lab.whatif.answers import Answer, Answers, Verified, verify
from lab.whatif.replay import Replay, unlike
from recognition.cluster import UNCLUSTERED, cluster_name
from schemas.conditioning import ArtefactRef
from schemas.errors import SetupError
from schemas.settings import Settings
from streams.conditioning.placement import Placement

EXAMPLES = 3


class AnswerChange(StrEnum):
    """How two answers to one probe compare."""

    SAME = "same"
    OTHER_IDENTITY = "other_identity"
    NOW_IDENTIFIED = "now_identified"
    NOW_REVIEW = "now_review"


class AnswerReport(ReportPart):
    """One answer; ``identity`` null: to review."""

    identity: str | None
    distance: float | None
    threshold: float | None


class Example(ReportPart):
    """One probe that would be answered otherwise."""

    event_id: str
    kind: AnswerChange
    before: AnswerReport
    after: AnswerReport


class ClusterAgreement(ReportPart):
    """How the answers to the probes of one cluster compare."""

    cluster: str
    description: str
    counts: dict[AnswerChange, int]


class Agreement(ReportPart):
    """How the answers before and after compare, over the probes that both can answer."""

    probes: int
    left_out: int
    counts: dict[AnswerChange, int]
    clusters: tuple[ClusterAgreement, ...]
    examples: tuple[Example, ...]
    verified: tuple[Verified, Verified] | None = Field(
        None, description="Of the probes that people named, before and after"
    )
    unlike: str | None = Field(None, description="How the running system seems to be set otherwise")


def agree(
    before: Answers,
    after: Answers,
    *,
    probes: int,
    descriptions: Mapping[str, str],
    by_after: bool,
    identities: Mapping[str, str],
) -> Agreement:
    """Compare two sets of answers.

    Args:
        before: by what is active.
        after: by what is to be.
        probes: how many there were; those that one side could not answer are left out.
        descriptions: of the clusters, in plain words.
        by_after: whether the clusters are those of the answers after, rather than before.
        identities: whom people said that probes show.
    """
    pairs = [(before[event_id], after[event_id]) for event_id in before if event_id in after]
    clusters: defaultdict[str, Counter[AnswerChange]] = defaultdict(Counter)
    examples: defaultdict[AnswerChange, list[Example]] = defaultdict(list)
    for old, new in pairs:
        kind, cluster = kind_of(old, new), (new if by_after else old).cluster
        clusters[UNCLUSTERED if cluster is None else cluster][kind] += 1
        if kind is not AnswerChange.SAME and len(examples[kind]) < EXAMPLES:
            told = {"before": _told(old), "after": _told(new)}
            examples[kind].append(Example(event_id=old.event_id, kind=kind, **told))
    verified = verify(before, identities), verify(after, identities)
    return Agreement(
        probes=len(pairs),
        left_out=probes - len(pairs),
        counts=_all_kinds(sum(clusters.values(), Counter())),
        clusters=tuple(
            ClusterAgreement(
                cluster=cluster,
                description=descriptions.get(cluster, ""),
                counts=_all_kinds(clusters[cluster]),
            )
            for cluster in sorted(clusters, key=lambda name: (-clusters[name].total(), name))
        ),
        examples=tuple(example for kind in AnswerChange for example in examples[kind]),
        verified=verified if any(verified[0].model_dump().values()) else None,
    )


def kind_of(before: Answer, after: Answer) -> AnswerChange:
    """Return how two answers to one probe compare."""
    if before.identity == after.identity:
        return AnswerChange.SAME
    if before.identity is None:
        return AnswerChange.NOW_IDENTIFIED
    return AnswerChange.NOW_REVIEW if after.identity is None else AnswerChange.OTHER_IDENTITY


def _told(answer: Answer) -> AnswerReport:
    return AnswerReport(
        identity=answer.identity, distance=answer.distance, threshold=answer.threshold
    )


def _all_kinds(counts: Counter[AnswerChange]) -> dict[AnswerChange, int]:
    return {kind: counts[kind] for kind in AnswerChange}


class Incomparable(SetupError):
    """What is active cannot be replayed here; what is to be can."""


async def compare(
    present: Present,
    new: ArtefactRef | None,
    material: Material,
    settings: Settings,
    bar: Progress,
) -> Agreement:
    """Answer the probes under both conditionings, against the present gallery.

    Raises:
        Incomparable: the artefact that is active cannot be read.
        SetupError: the new one cannot.
    """
    probes, entries = material.probes.embeddings, material.gallery.entries.values()
    task = bar.add_task("replaying", total=2 * len(probes))
    after = await Replay.of(entries, new, settings)
    try:
        before = await Replay.of(entries, present.active, settings)
    except SetupError as error:
        raise Incomparable(f"no comparison with what is active: {error}") from error
    by_after = after.placement.artefact is not None
    return agree(
        await before.answers(probes, lambda: bar.advance(task)),
        await after.answers(probes, lambda: bar.advance(task)),
        probes=len(probes) + material.probes.unusable,
        descriptions=descriptions_of((after if by_after else before).placement),
        by_after=by_after,
        identities=material.identities,
    ).model_copy(update={"unlike": unlike(present.state, before.state)})


def descriptions_of(placement: Placement) -> Mapping[str, str]:
    """Return what is said of each fitted cluster; nothing of plain ones, whose names say it."""
    artefact = placement.artefact
    if artefact is None:
        return {}
    descriptions = artefact.conditioning.clusters.descriptions
    return {cluster_name(number): words for number, words in enumerate(descriptions)}
