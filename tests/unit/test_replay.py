"""Replayed probes: what the live matcher would say, and never by the probe's own entry."""

from pathlib import Path

import numpy as np
import pytest

from lab.whatif.replay import Replay
from schemas.conditioning import ArtefactRef
from schemas.errors import SetupError
from streams.conditioning.placement import Placements
from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import GalleryState
from tests.conditionings import saved
from tests.gallery_entries import MODEL, entry
from tests.services.kafka import embedding
from tests.unit.replayed import SETTINGS, active, centre, entries, light, look, probes

HIDDEN = 3


@pytest.fixture(params=["plain", "fitted"])
def conditioned(request: pytest.FixtureRequest, tmp_path: Path) -> ArtefactRef | None:
    """What is active: nothing, or a conditioning."""
    return None if request.param == "plain" else active(tmp_path)


def nothing() -> None:
    """Hear of progress."""


async def test_near_probes_are_identified_and_far_ones_go_to_review(
    conditioned: ArtefactRef | None,
) -> None:
    replay = await Replay.of(entries(), conditioned, SETTINGS)
    heard: list[None] = []
    answers = await replay.answers(probes(), lambda: heard.append(None))
    assert len(heard) == len(answers) == 20
    identified = {i: a.identity for i, a in answers.items() if a.identity is not None}
    assert {"p0": "id0", "p1": "id1", "p2": "id2"}.items() <= identified.items()
    assert "p19" not in identified
    for answer in answers.values():
        assert answer.distance is not None
        assert answer.threshold is not None
        assert (answer.identity is None) == (answer.distance > answer.threshold)
    clusters = {answers["p0"].cluster, answers["p1"].cluster}
    assert clusters == ({"light=day", "light=night"} if conditioned is None else {"c0", "c1"})


def judged_as(replay: Replay, other: Replay) -> GalleryState:
    """Return the state of one replay with the thresholds of another."""
    models = {
        model: {
            cluster: shard.model_copy(
                update={"threshold": other.state.models[model][cluster].threshold}
            )
            for cluster, shard in shards.items()
        }
        for model, shards in replay.state.models.items()
    }
    changes = {"models": models, "thresholds": other.state.thresholds}
    return replay.state.model_copy(update=changes)


async def test_a_probe_is_answered_as_if_its_own_entry_were_not_there(
    conditioned: ArtefactRef | None,
) -> None:
    """Its own look is enrolled under another name, so the name tells who was found."""
    probe = embedding("mine", look(HIDDEN, seed=9), background=light(0))
    mine = entry("mine", "somebody", probe.vector, background=light(0))
    nearest_only = SETTINGS.model_copy(update={"neighbours": 1})
    without = await Replay.of(entries(), conditioned, nearest_only)
    replay = await Replay.of([*entries(), mine], conditioned, nearest_only)
    expected = (await without.answers([probe], nothing))["mine"]
    found = (await replay.answers([probe], nothing, judged_as(replay, without)))["mine"]
    assert found == expected
    assert found.identity == f"id{HIDDEN}"
    other = embedding("other", probe.vector, background=light(0))
    assert (await replay.answers([other], nothing))["other"].identity == "somebody"


async def test_other_thresholds_are_answered_without_searching_again(
    conditioned: ArtefactRef | None,
) -> None:
    replay = await Replay.of(entries(), conditioned, SETTINGS)
    before = await replay.answers(probes(), nothing)
    shut = replay.state.model_copy(
        update={
            "models": {
                model: {c: s.model_copy(update={"threshold": None}) for c, s in shards.items()}
                for model, shards in replay.state.models.items()
            },
            "thresholds": {},
        }
    )
    closed = await replay.answers(probes(), nothing, shut)
    assert {answer.identity for answer in closed.values()} == {None}
    assert {answer.threshold for answer in closed.values()} == {None}
    assert await replay.answers(probes(), nothing) == before


async def test_vectors_of_another_size_are_left_out() -> None:
    replay = await Replay.of(entries(), None, SETTINGS)
    short = embedding("short", [1, 0])
    stranger = embedding("stranger", centre(77), model="other@1")
    answers = await replay.answers([short, stranger], nothing)
    assert list(answers) == ["stranger"]
    assert answers["stranger"].identity is None


async def test_an_empty_gallery_knows_nobody(conditioned: ArtefactRef | None) -> None:
    answers = await (await Replay.of([], conditioned, SETTINGS)).answers(probes(1), nothing)
    assert (answers["p0"].identity, answers["p0"].distance) == (None, None)


async def test_a_gallery_of_vectors_of_another_size_is_refused(tmp_path: Path) -> None:
    state = active(tmp_path)
    with pytest.raises(SetupError, match="does not fit the conditioning"):
        await Replay.of([entry("e", "id", np.ones(3))], state, SETTINGS)


async def test_the_state_is_that_of_the_live_layout(conditioned: ArtefactRef | None) -> None:
    replay = await Replay.of(entries(), conditioned, SETTINGS)
    placement = await Placements(SETTINGS.shard_by).under(conditioned)
    layout = PlacedGallery(placement, conditioned, SETTINGS.target_fpir)
    for one in entries():
        layout.put(one)
    assert replay.state == layout.state("replay", 39, {MODEL: 16})


async def test_an_artefact_that_is_gone_is_told(tmp_path: Path) -> None:
    state = active(tmp_path)
    saved(tmp_path, fpir=0.2)
    with pytest.raises(SetupError, match="holds version"):
        await Replay.of(entries(), state, SETTINGS)
