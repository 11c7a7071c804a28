"""The matcher under a conditioning: which shards it asks, and by what distance it judges."""

from pathlib import Path

import numpy as np
import pytest

from recognition.cluster import EVERYWHERE, UNCLUSTERED
from schemas.errors import BadInput, DependencyDown
from schemas.metrics import Metrics
from schemas.recognition_event import ReviewReason
from streams.conditioning.artefact import save_artefact
from streams.conditioning.placement import Placements
from streams.matching.matcher import Matcher
from tests.gallery_entries import MODEL
from tests.index_entries import entry
from tests.unit.conditioned import (
    DAY,
    DUSK,
    LIGHT_ONLY,
    NIGHT,
    Given,
    active,
    artefact,
    placed,
    sample,
)
from tests.unit.matcher_probes import (
    AXES,
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

# By day an oak on the first axis and an elm on the second; by night a fir near the first.
GALLERY = [
    placed("oak-d", "oak", AXES[0] + 0.2 * AXES[3]),
    placed("elm-d", "elm", AXES[1]),
    placed("fir-n", "fir", AXES[0], "c2"),
]
TAUS = {"c0": 0.1, "c1": 0.3, "c2": 0.05, EVERYWHERE: 0.2}
EVERY = {"c0": 2, "c2": 1}


@pytest.fixture
def index() -> Watched:
    return Watched()


@pytest.fixture
def placements() -> Given:
    return Given(artefact())


@pytest.fixture
def matcher(index: Watched, metrics: Metrics, placements: Given) -> Matcher:
    return matcher_on(index, metrics, placements=placements)


async def test_the_own_shard_alone_answers_where_it_is_clear(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    event = await one(matcher, probe(background=DAY))
    assert (identity(event), event.cluster, searched(event)) == ("oak", "c0", {"c0": 2})
    assert (event.threshold, event.conditioning) == (0.1, "v1")
    assert [len(queries) for queries in index.rounds] == [1]


async def test_what_the_own_shard_does_not_know_is_sought_in_all(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    event = await one(matcher, probe(vector=AXES[1] + 0.2 * AXES[2], background=NIGHT))
    assert (identity(event), event.cluster, searched(event)) == ("elm", "c2", EVERY)
    assert event.threshold == 0.05
    assert [[q.clusters for q in queries] for queries in index.rounds] == [[("c2",)], [("c0",)]]


async def test_two_identities_within_the_threshold_ask_all_shards(
    matcher: Matcher, index: Watched
) -> None:
    rival = placed("yew-d", "yew", AXES[0] + 0.3 * AXES[2])
    await fill(index, [*GALLERY, rival], active=active(), by_probe=TAUS)
    event = await one(matcher, probe(background=DAY))
    assert searched(event) == {"c0": 3, "c2": 1}
    assert identity(event) == "fir"


async def test_a_cluster_without_entries_asks_all_shards_at_once(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    event = await one(matcher, probe(background=DUSK))
    assert (event.cluster, searched(event), event.threshold) == ("c1", EVERY, 0.3)
    assert len(index.rounds) == 1


@pytest.mark.parametrize("background", [{}, {"camera": "z"}, {"season": "winter"}])
async def test_an_unknown_background_asks_all_shards_and_says_so(
    matcher: Matcher, index: Watched, background: dict[str, str]
) -> None:
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    event = await one(matcher, probe(background=background))
    assert (event.cluster, searched(event), event.threshold) == (None, EVERY, 0.2)
    assert (identity(event), event.conditioning) == ("fir", "v1")
    assert len(index.rounds) == 1


async def test_a_background_known_by_halves_asks_all_shards(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    event = await one(matcher, probe(background=LIGHT_ONLY))
    assert (event.cluster, searched(event), event.threshold) == ("c2", EVERY, 0.05)
    assert len(index.rounds) == 1


async def test_a_background_between_clusters_asks_all_shards(
    matcher: Matcher, index: Watched, placements: Given
) -> None:
    placements.given = artefact(spread=100.0)
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    event = await one(matcher, probe(background=DAY))
    assert (event.cluster, searched(event)) == ("c0", EVERY)


async def test_entries_without_a_cluster_are_searched_with_the_others(
    matcher: Matcher, index: Watched
) -> None:
    stray = placed("yew", "yew", AXES[2], UNCLUSTERED)
    await fill(index, [*GALLERY, stray], active=active(), by_probe=TAUS)
    known, far = await matched(
        matcher, probe(background=DAY), probe(vector=AXES[2], background=DAY)
    )
    assert searched(known) == {"c0": 2}
    assert (identity(far), searched(far)) == ("yew", {**EVERY, UNCLUSTERED: 1})


async def test_a_batch_takes_two_rounds_at_most_and_keeps_its_order(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    backgrounds = [DAY, NIGHT, {}, DUSK, LIGHT_ONLY]
    probes = [probe(f"x{i}", AXES[i % 3], background=backgrounds[i % 5]) for i in range(30)]
    events = await matched(matcher, *probes)
    assert [event.event_id for event in events] == [f"x{i}" for i in range(30)]
    assert len(index.rounds) == 2
    alone = [await one(matcher, record) for record in probes]
    told = [event.model_dump_json(exclude={"timings_ms"}) for event in events]
    assert told == [event.model_dump_json(exclude={"timings_ms"}) for event in alone]


async def test_other_models_stay_plain(matcher: Matcher, index: Watched) -> None:
    old = [
        entry("oak-o", "oak", AXES[0], "all", "old@1"),
        entry("elm-o", "elm", AXES[1], "all", "old@1"),
    ]
    await fill(index, [*GALLERY, *old], {"all": 0.5}, active=active(), by_probe=TAUS)
    probes = [
        probe("old", background=DAY, model="old@1"),
        probe("new", background=DAY),
        probe("none", background=DAY, model="other@1"),
    ]
    plain, fitted, neither = await matched(matcher, *probes)
    assert (plain.conditioning, plain.cluster, plain.threshold) == (None, "all", 0.5)
    assert (identity(plain), searched(plain)) == ("oak", {"all": 2})
    assert (fitted.conditioning, fitted.cluster) == ("v1", "c0")
    assert reason(neither) is ReviewReason.OTHER_MODEL
    assert neither.conditioning is None


async def test_conditionings_may_change_between_batches(
    matcher: Matcher, index: Watched, placements: Given, metrics: Metrics
) -> None:
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    first = await one(matcher, probe(background=DAY))
    placements.given = artefact("v2")
    moved = [placed("oak-d", "oak", AXES[0] + 0.2 * AXES[3], version="v2")]
    await fill(index, moved, active=active("v2"), by_probe={"c0": 0.4})
    second = await one(matcher, probe(background=DAY))
    placements.given = None
    await fill(
        index, [entry("oak-d", "oak", AXES[0]), entry("elm-d", "elm", AXES[1])], {"all": 0.3}
    )
    third = await one(matcher, probe(background=DAY))
    told = [(e.conditioning, e.threshold, searched(e)) for e in (first, second, third)]
    assert told == [
        ("v1", 0.1, {"c0": 2}),
        ("v2", 0.4, {"c0": 1}),
        (None, 0.3, {"all": 2}),
    ]


async def test_the_artefact_that_the_state_names_is_read(
    index: Watched, metrics: Metrics, tmp_path: Path
) -> None:
    made = artefact()
    saved = save_artefact(
        tmp_path, name="test", model=MODEL, fpir=0.05, conditioning=made.conditioning, about={}
    )
    entries = [placed("oak", "oak", AXES[0], version=saved.version)]
    state = active(saved.version, tmp_path.as_uri())
    await fill(index, entries, active=state, by_probe={"c0": 0.1})
    event = await one(matcher_on(index, metrics), probe(background=DAY))
    assert (identity(event), event.conditioning) == ("oak", saved.version)


async def test_an_artefact_that_cannot_be_read_is_no_unknown(
    index: Watched, metrics: Metrics, tmp_path: Path
) -> None:
    await fill(index, GALLERY, active=active(uri=tmp_path.as_uri()), by_probe=TAUS)
    with pytest.raises(DependencyDown) as caught:
        await matcher_on(index, metrics, placements=Placements()).handle([probe()])
    assert caught.value.dependency == "conditioning"


async def test_a_missing_shard_in_the_second_round_is_no_unknown(
    matcher: Matcher, index: Watched, metrics: Metrics
) -> None:
    await fill(index, GALLERY, active=active(), by_probe=TAUS)
    del index._shards[f"{MODEL}+v1", "c2"]
    await matcher.handle([probe(background=DAY)])
    with pytest.raises(DependencyDown):
        await matcher.handle([probe(vector=AXES[2], background=DAY)])
    assert sample(metrics, "perennial_shard_timeouts_total") == 1


async def test_an_empty_fitted_gallery_sends_all_to_a_person(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, [], active=active())
    event = await one(matcher, probe(background=DAY))
    assert reason(event) is ReviewReason.GALLERY_EMPTY
    assert (event.conditioning, event.cluster, event.shards) == ("v1", "c0", ())


async def test_without_a_threshold_nothing_is_known(matcher: Matcher, index: Watched) -> None:
    await fill(index, GALLERY, active=active(), by_probe={})
    event = await one(matcher, probe(background=DAY))
    assert (reason(event), searched(event)) == (ReviewReason.GALLERY_TOO_SMALL, EVERY)
    assert len(index.rounds) == 1


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("filled", [True, False])
async def test_a_vector_that_the_conditioning_is_not_for_is_bad_input(
    matcher: Matcher, index: Watched, size: int, filled: bool
) -> None:
    await fill(index, GALLERY if filled else [], active=active(), by_probe=TAUS)
    with pytest.raises(BadInput) as caught:
        await matcher.handle([probe(vector=np.eye(size)[0], background=DAY)])
    assert caught.value.reason == "bad_vector"
