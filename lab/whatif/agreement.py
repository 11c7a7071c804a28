"""What a change of the conditioning would change in the answers."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from lab.whatif.replay import Answer, Answers
from lab.whatif.truth import Verified, verify
from recognition.cluster import UNCLUSTERED

EXAMPLES = 3


class Kind(StrEnum):
    """How two answers to one probe compare."""

    SAME = "same"
    OTHER_IDENTITY = "other_identity"
    NOW_IDENTIFIED = "now_identified"
    NOW_REVIEW = "now_review"


class Told(BaseModel):
    """One answer; ``identity`` null: to review."""

    model_config = ConfigDict(frozen=True)

    identity: str | None
    distance: float | None
    threshold: float | None


class Example(BaseModel):
    """One probe that would be answered otherwise."""

    model_config = ConfigDict(frozen=True)

    event_id: str
    kind: Kind
    before: Told
    after: Told


class ClusterAgreement(BaseModel):
    """How the answers to the probes of one cluster compare."""

    model_config = ConfigDict(frozen=True)

    cluster: str
    description: str
    counts: dict[Kind, int]


class Agreement(BaseModel):
    """How the answers before and after compare, over the probes that both can answer."""

    model_config = ConfigDict(frozen=True)

    probes: int
    left_out: int
    counts: dict[Kind, int]
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
    clusters: defaultdict[str, Counter[Kind]] = defaultdict(Counter)
    examples: defaultdict[Kind, list[Example]] = defaultdict(list)
    for old, new in pairs:
        kind, cluster = kind_of(old, new), (new if by_after else old).cluster
        clusters[UNCLUSTERED if cluster is None else cluster][kind] += 1
        if kind is not Kind.SAME and len(examples[kind]) < EXAMPLES:
            examples[kind].append(_example(kind, old, new))
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
        examples=tuple(example for kind in Kind for example in examples[kind]),
        verified=verified if any(verified[0].model_dump().values()) else None,
    )


def kind_of(before: Answer, after: Answer) -> Kind:
    """Return how two answers to one probe compare."""
    if before.identity == after.identity:
        return Kind.SAME
    if before.identity is None:
        return Kind.NOW_IDENTIFIED
    return Kind.NOW_REVIEW if after.identity is None else Kind.OTHER_IDENTITY


def _example(kind: Kind, before: Answer, after: Answer) -> Example:
    return Example(event_id=before.event_id, kind=kind, before=_told(before), after=_told(after))


def _told(answer: Answer) -> Told:
    return Told(identity=answer.identity, distance=answer.distance, threshold=answer.threshold)


def _all_kinds(counts: Counter[Kind]) -> dict[Kind, int]:
    return {kind: counts[kind] for kind in Kind}
