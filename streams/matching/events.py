"""What the matcher says of a probe: an identification, or an item for human review."""

from recognition.cluster import UNCLUSTERED
from recognition.decision import Verdict
from schemas.embedding import Embedding
from schemas.recognition_event import (
    CandidateIdentity,
    Identification,
    ReviewItem,
    ReviewReason,
    ShardSearched,
)
from schemas.topics import HUMAN_REVIEW, IDENTIFICATIONS, Topic
from streams.index.base import GalleryState
from streams.matching.probe import Probe


def answer(
    probe: Probe, state: GalleryState, arrived: float, spent: float
) -> Identification | ReviewItem:
    """Return the event for a probe that was searched for in a gallery of this state.

    Args:
        probe: whose decision is made.
        state: of the gallery.
        arrived: when the matcher had it, in seconds since the epoch.
        spent: milliseconds since then.
    """
    fields = _provenance(probe, state, _timings(probe.embedding, arrived, spent))
    decision = probe.decision
    if decision.verdict is Verdict.KNOWN:
        return Identification.model_validate({**fields, "identity": decision.identity})
    return ReviewItem.model_validate(
        {**fields, "reason": _why(probe, state), "vector": probe.embedding.vector}
    )


def topic_of(event: Identification | ReviewItem) -> Topic:
    """Return where the event goes."""
    return IDENTIFICATIONS if isinstance(event, Identification) else HUMAN_REVIEW


def _timings(embedding: Embedding, arrived: float, spent: float) -> dict[str, float]:
    """Return milliseconds per stage, the matcher's and the total included."""
    stages = dict(embedding.timings_ms)
    sent = stages.pop("sent_at", arrived * 1000)
    published = stages.pop("published_at", sent)
    done = arrived * 1000 + spent
    stages |= {"hop": max(arrived * 1000 - sent, 0), "match": spent}
    return {name: round(ms, 3) for name, ms in {**stages, "total": done - published}.items()}


def _why(probe: Probe, state: GalleryState) -> ReviewReason:
    """Return the reason for review; a gallery of another model is no mere 'unknown'."""
    model, size = probe.embedding.model, probe.embedding.vector.size
    other_size = state.dimensions.get(model, size) != size
    if other_size or (model not in state.models and state.models):
        return ReviewReason.OTHER_MODEL
    return ReviewReason(probe.decision.reason)


def _provenance(probe: Probe, state: GalleryState, timings: dict[str, float]) -> dict[str, object]:
    embedding, decision, cluster = probe.embedding, probe.decision, probe.plan.placed.cluster
    return {
        "event_id": embedding.event_id,
        "source": embedding.source,
        "captured_at": embedding.captured_at,
        "background": embedding.background,
        "region": embedding.region,
        "quality": embedding.quality,
        "frame": embedding.frame,
        "distance": decision.distance,
        "threshold": decision.threshold,
        "probability": probe.plan.probability(decision),
        "margin": decision.margin,
        "candidates": tuple(
            CandidateIdentity(
                identity=c.identity, distance=c.distance, votes=c.votes, entry_id=c.entry_id
            )
            for c in decision.candidates
        ),
        "cluster": None if cluster == UNCLUSTERED else cluster,
        "shards": tuple(
            ShardSearched(cluster=name, entries=state.models[embedding.model][name].entries)
            for name in probe.searched
        ),
        "model": embedding.model,
        "conditioning": probe.plan.conditioning,
        "gallery_position": state.position,
        "timings_ms": timings,
    }
