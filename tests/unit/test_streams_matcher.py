"""The matcher: which shards it asks, by which threshold it judges, and when it does not answer."""

from dataclasses import replace

import numpy as np
import pytest

from recognition.cluster import EVERYWHERE, UNCLUSTERED
from schemas.errors import BadInput, DependencyDown
from schemas.metrics import Metrics
from schemas.quality import Quality
from schemas.recognition_event import (
    ReviewItem,
    ReviewReason,
)
from schemas.records import Record
from streams.index.base import GalleryState
from streams.matching.matcher import Matcher
from tests.gallery_entries import unit
from tests.index_entries import entry
from tests.unit.matcher_probes import (
    AXES,
    SEASONS,
    SUMMER,
    THRESHOLDS,
    WINTER,
    Watched,
    fill,
    identity,
    matched,
    matcher_on,
    one,
    probe,
    reason,
    searched,
)


@pytest.fixture
def index() -> Watched:
    return Watched()


@pytest.fixture
def matcher(index: Watched, metrics: Metrics) -> Matcher:
    return matcher_on(index, metrics, "season")


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


async def test_the_quality_of_the_picture_travels(matcher: Matcher, index: Watched) -> None:
    """It weighs nothing: the better picture is neither nearer nor surer."""
    await fill(index, SEASONS, THRESHOLDS)
    poor = Quality(sharpness=0, size=9, dark=1, bright=0, overall=0)
    good = Quality(sharpness=1, size=900, dark=0, bright=0, overall=1)
    sent = [probe(name, quality=told) for name, told in (("p", poor), ("g", good), ("n", None))]
    events = await matched(matcher, *sent)
    assert [event.quality for event in events] == [poor, good, None]
    assert len({(identity(event), event.distance, event.threshold) for event in events}) == 1


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
    assert event.threshold == THRESHOLDS[EVERYWHERE], "the own one does not count the strays"


async def test_without_variables_to_shard_by_there_is_one_shard(
    index: Watched, metrics: Metrics
) -> None:
    plain = matcher_on(index, metrics, neighbours=3)
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
    await fill(index, [replace(e, space="old@1") for e in SEASONS], THRESHOLDS)
    event = await one(matcher, probe())
    assert reason(event) is ReviewReason.OTHER_MODEL
    assert (event.shards, event.candidates) == ((), ())


async def test_entries_of_another_model_are_never_compared(
    matcher: Matcher, index: Watched
) -> None:
    old = entry("old", "yew", [1, 0], space="old@1", cluster=WINTER)
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
