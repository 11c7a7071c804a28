"""The matcher on an index in memory, with thresholds set by hand and distances one can see."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from recognition.cluster import UNCLUSTERED
from recognition.match import Neighbour
from schemas.embedding import Embedding
from schemas.errors import BadInput, DependencyDown
from schemas.event import Region
from schemas.gallery import GalleryEntry
from schemas.metrics import Metrics
from schemas.recognition_event import (
    DecidedBy,
    Identification,
    RecognitionEvent,
    ReviewItem,
    ReviewReason,
    ShardSearched,
)
from schemas.records import Record
from streams.index.base import EVERYWHERE, GalleryState, Query, ShardState
from streams.index.memory import MemoryIndex
from streams.matcher import Matcher
from tests.gallery_entries import CAPTURED, MODEL, entry, unit

AXES = np.eye(4, dtype=np.float32)
WINTER, SUMMER = "season=winter", "season=summer"


class Watched(MemoryIndex):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds: list[Sequence[Query]] = []
        self.k: set[int] = set()

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        self.rounds.append(queries)
        self.k.add(k)
        return await super().search(queries, k, epoch)


@pytest.fixture
def index() -> Watched:
    return Watched()


@pytest.fixture
def matcher(index: Watched, metrics: Metrics) -> Matcher:
    return Matcher(
        index,
        shard_by=("season",),
        neighbours=10,
        identifications="identifications",
        human_review="human-review",
        metrics=metrics,
    )


async def fill(
    index: MemoryIndex,
    entries: Sequence[GalleryEntry],
    thresholds: Mapping[str, float] | None = None,
) -> None:
    """Write the entries, and a state with the thresholds given by cluster."""
    shards: dict[tuple[str, str], list[str]] = {}
    for e in entries:
        for cluster in (e.cluster, EVERYWHERE):
            shards.setdefault((e.model, cluster), []).append(e.identity)
    models: dict[str, dict[str, ShardState]] = {}
    for (model, cluster), names in shards.items():
        models.setdefault(model, {})[cluster] = ShardState(
            entries=len(names),
            identities=len(set(names)),
            threshold=(thresholds or {}).get(cluster),
        )
    await index.write(entries, [], GalleryState(epoch="one", position=41, models=models))


def probe(event_id: str = "x", vector: Any = AXES[0], **changes: Any) -> Record:
    values: dict[str, Any] = {
        "event_id": event_id,
        "source": "cam-1",
        "captured_at": CAPTURED,
        "background": {"season": "winter"},
        "region": None,
        "vector": unit(vector),
        "model": MODEL,
        "timings_ms": {},
    }
    return Embedding(**{**values, **changes}).record("embeddings")


async def matched(matcher: Matcher, *probes: Record) -> list[RecognitionEvent]:
    """Return the events, each read from the topic it belongs on."""
    kinds: dict[str, type[RecognitionEvent]] = {
        "identifications": Identification,
        "human-review": ReviewItem,
    }
    return [kinds[record.topic].read(record) for record in await matcher.handle(probes)]


async def one(matcher: Matcher, record: Record) -> RecognitionEvent:
    (event,) = await matched(matcher, record)
    return event


def identity(event: RecognitionEvent) -> str | None:
    return event.identity if isinstance(event, Identification) else None


def reason(event: RecognitionEvent) -> ReviewReason | None:
    return event.reason if isinstance(event, ReviewItem) else None


def searched(event: RecognitionEvent) -> dict[str, int]:
    return {shard.cluster: shard.entries for shard in event.shards}


# In winter an oak on the first axis and an elm on the second; in summer the first axis is a fir.
SEASONS = [
    entry("oak-w", "oak", AXES[0] + 0.3 * AXES[3], cluster=WINTER),
    entry("elm-w", "elm", AXES[1], cluster=WINTER),
    entry("fir-s", "fir", AXES[0], cluster=SUMMER),
    entry("ash-s", "ash", AXES[2], cluster=SUMMER),
]
THRESHOLDS = {WINTER: 0.1, SUMMER: 0.05, EVERYWHERE: 0.2}


async def test_a_probe_is_compared_in_its_own_shard(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    winter, summer = await matched(matcher, probe("w"), probe("s", background={"season": "summer"}))
    assert (identity(winter), identity(summer)) == ("oak", "fir")
    assert (winter.cluster, summer.cluster) == (WINTER, SUMMER)
    assert (winter.threshold, summer.threshold) == (0.1, 0.05)
    assert searched(winter) == {WINTER: 2}


async def test_what_lies_beyond_the_threshold_goes_to_a_person_with_its_vector(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    event = await one(matcher, probe(vector=AXES[0] + AXES[1]))
    assert isinstance(event, ReviewItem)
    assert event.reason is ReviewReason.BEYOND_THRESHOLD
    assert event.vector.tolist() == unit(AXES[0] + AXES[1]).tolist()
    assert [c.identity for c in event.candidates] == ["elm", "oak"]


async def test_a_thin_shard_asks_all_shards(matcher: Matcher, index: Watched) -> None:
    """One identity alone has no impostors, so no threshold: the whole gallery judges."""
    thin = [e for e in SEASONS if e.entry_id != "elm-w"]
    await fill(index, thin, {SUMMER: 0.05, EVERYWHERE: 0.2})
    event = await one(matcher, probe())
    assert searched(event) == {WINTER: 1, SUMMER: 2}
    assert event.threshold == 0.2
    assert identity(event) == "fir"
    assert event.cluster == WINTER


async def test_many_entries_of_one_identity_are_still_a_thin_shard(
    matcher: Matcher, index: Watched
) -> None:
    oaks = [entry(f"oak-{i}", "oak", AXES[0], cluster=WINTER) for i in range(20)]
    await fill(index, [*oaks, *SEASONS[2:]], THRESHOLDS)
    assert searched(await one(matcher, probe())) == {WINTER: 20, SUMMER: 2}


@pytest.mark.parametrize("background", [{"season": "spring"}, {}, {"light": "day"}, {"season": ""}])
async def test_an_unseen_or_missing_background_asks_all_shards(
    matcher: Matcher, index: Watched, background: dict[str, str]
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    event = await one(matcher, probe(background=background))
    assert searched(event) == {WINTER: 2, SUMMER: 2}
    assert event.threshold == 0.2
    assert identity(event) == "fir"
    assert event.cluster == (f"season={background['season']}" if background.get("season") else None)


async def test_entries_without_a_cluster_are_searched_beside_the_own_shard(
    matcher: Matcher, index: Watched
) -> None:
    stray = entry("yew", "yew", AXES[0], cluster=UNCLUSTERED)
    await fill(index, [*SEASONS, stray], THRESHOLDS)
    event = await one(matcher, probe())
    assert searched(event) == {WINTER: 2, UNCLUSTERED: 1}
    assert identity(event) == "yew"
    assert event.threshold == 0.1


async def test_without_variables_to_shard_by_there_is_one_shard(
    index: Watched, metrics: Metrics
) -> None:
    plain = Matcher(
        index,
        shard_by=(),
        neighbours=3,
        identifications="identifications",
        human_review="human-review",
        metrics=metrics,
    )
    await fill(index, [entry("a", "oak", AXES[0]), entry("b", "elm", AXES[1])], {"all": 0.1})
    event = await one(plain, probe())
    assert (identity(event), event.cluster, searched(event)) == ("oak", "all", {"all": 2})
    assert index.k == {3}


async def test_an_empty_gallery_sends_all_to_a_person(matcher: Matcher, index: Watched) -> None:
    await fill(index, [])
    event = await one(matcher, probe())
    assert reason(event) is ReviewReason.GALLERY_EMPTY
    assert (event.distance, event.threshold, event.candidates, event.shards) == (None, None, (), ())


async def test_a_gallery_of_one_identity_sends_all_to_a_person(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, [entry("a", "oak", AXES[0], cluster=WINTER)])
    event = await one(matcher, probe())
    assert reason(event) is ReviewReason.GALLERY_TOO_SMALL
    assert event.candidates[0].identity == "oak"


async def test_a_gallery_of_another_model_is_no_mere_unknown(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, [e.model_copy(update={"model": "old@1"}) for e in SEASONS], THRESHOLDS)
    event = await one(matcher, probe())
    assert reason(event) is ReviewReason.OTHER_MODEL
    assert (event.shards, event.candidates) == ((), ())


async def test_entries_of_another_model_are_never_compared(
    matcher: Matcher, index: Watched
) -> None:
    old = entry("old", "yew", [1, 0], model="old@1", cluster=WINTER)
    await fill(index, [*SEASONS, old], THRESHOLDS)
    event = await one(matcher, probe(vector=AXES[3]))
    assert reason(event) is ReviewReason.BEYOND_THRESHOLD
    assert "yew" not in {c.identity for c in event.candidates}


async def test_no_state_is_no_empty_gallery(matcher: Matcher) -> None:
    with pytest.raises(DependencyDown, match="gallery") as caught:
        await matcher.handle([probe()])
    assert caught.value.dependency == "gallery"


async def test_a_missing_shard_is_no_unknown(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    index._shards.clear()
    with pytest.raises(DependencyDown):
        await matcher.handle([probe()])


async def test_an_index_made_anew_between_state_and_search_is_asked_again(
    matcher: Matcher, index: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    old = await index.state()

    async def before() -> GalleryState | None:
        return None if old is None else old.model_copy(update={"epoch": "zero"})

    monkeypatch.setattr(index, "state", before)
    with pytest.raises(DependencyDown):
        await matcher.handle([probe()])


async def test_what_is_no_embedding_is_bad_input(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    with pytest.raises(BadInput):
        await matcher.handle([probe(), Record("embeddings", None, b"1234")])


@pytest.mark.parametrize("size", [3, 5])
async def test_a_vector_of_another_size_is_bad_input(
    matcher: Matcher, index: Watched, size: int
) -> None:
    """Redis refuses the query, which looks like an outage: the partition would wait for ever."""
    await fill(index, SEASONS, THRESHOLDS)
    with pytest.raises(BadInput) as caught:
        await matcher.handle([probe(vector=np.eye(size)[0])])
    assert caught.value.reason == "bad_vector"


async def test_a_batch_is_one_round_and_keeps_its_order(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    probes = [probe(f"x{i}", AXES[i % 4]) for i in range(10)]
    events = await matched(matcher, *probes)
    assert [event.event_id for event in events] == [f"x{i}" for i in range(10)]
    assert [len(queries) for queries in index.rounds] == [10]
    assert [identity(event) for event in events[:2]] == ["oak", "elm"]


async def test_the_answer_says_all_that_a_sceptic_would_ask(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    region = Region(x=1, y=2, width=3, height=4)
    record = probe("x#0", source="cam-7", background={"season": "winter", "t": -3.5}, region=region)
    event = await one(matcher, record)
    assert isinstance(event, Identification)
    near = 1 - 1 / np.sqrt(1 + 0.3**2)
    assert (event.event_id, event.source, event.captured_at) == ("x#0", "cam-7", CAPTURED)
    assert (event.background, event.region) == ({"season": "winter", "t": -3.5}, region)
    assert event.identity == "oak"
    assert event.distance == pytest.approx(near, abs=1e-6)
    assert event.threshold == 0.1
    assert event.margin == pytest.approx(1 - near, abs=1e-6)
    first, second = event.candidates
    assert (first.identity, first.entry_id, first.distance) == ("oak", "oak-w", event.distance)
    assert first.votes == pytest.approx((0.1 - near) / 0.1, abs=1e-4)
    assert (second.identity, second.votes) == ("elm", 0)
    assert event.shards == (ShardSearched(cluster=WINTER, entries=2),)
    assert (event.model, event.conditioning, event.gallery_position) == (MODEL, None, 41)
    assert (event.decided_by, event.revision, event.probability) == (DecidedBy.MATCHER, 1, None)


async def test_records_go_to_their_topics_by_event_id(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    known, unknown = await matcher.handle([probe("a"), probe("b", AXES[2])])
    assert (known.topic, known.key) == ("identifications", b"a")
    assert (unknown.topic, unknown.key) == ("human-review", b"b")


async def test_timings_add_the_hop_the_match_and_the_total(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    before = time.time() * 1000
    instants = {"published_at": before - 1000, "sent_at": before - 200}
    event = await one(matcher, probe(timings_ms={"decode": 2.5, "embed": 4.0, **instants}))
    spent = time.time() * 1000 - before
    timings = event.timings_ms
    assert set(timings) == {"decode", "embed", "hop", "match", "total"}
    assert (timings["decode"], timings["embed"]) == (2.5, 4.0)
    assert 200 <= timings["hop"] <= 200 + spent
    assert 0 <= timings["match"] <= spent
    assert 1000 <= timings["total"] <= 1000 + spent + 0.01


async def test_clocks_that_disagree_give_no_negative_hop(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    later = time.time() * 1000 + 60_000
    event = await one(matcher, probe(timings_ms={"sent_at": later, "published_at": later}))
    assert event.timings_ms["hop"] == 0


async def test_without_instants_only_the_match_is_counted(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    timings = (await one(matcher, probe())).timings_ms
    assert timings["hop"] == 0
    assert timings["total"] == pytest.approx(timings["match"], abs=0.002)


async def test_outcomes_are_counted_by_cluster_and_reason(
    matcher: Matcher, index: Watched, metrics: Metrics
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    await matched(matcher, probe(), probe(), probe(vector=AXES[2]), probe(background={}))

    def outcomes(outcome: str, cluster: str, why: str) -> float | None:
        labels = {"outcome": outcome, "cluster": cluster, "reason": why}
        return metrics.registry.get_sample_value("perennial_outcomes_total", labels)

    assert outcomes("identified", WINTER, "within_threshold") == 2
    assert outcomes("review", WINTER, "beyond_threshold") == 1
    assert outcomes("identified", UNCLUSTERED, "within_threshold") == 1
    distances = metrics.registry.get_sample_value(
        "perennial_distance_count", {"outcome": "identified"}
    )
    assert distances == 3
    assert metrics.registry.get_sample_value("perennial_margin_count") == 4
    for stage in ("hop", "match", "total"):
        labels = {"stage": stage}
        assert metrics.registry.get_sample_value("perennial_stage_seconds_count", labels) == 4
