"""What the matcher enrols by itself, and how probable it says its answers are."""

import numpy as np
import pytest

from recognition.calibration import Calibration
from recognition.cluster import UNSHARDED
from schemas.event import FloatVector, now
from schemas.gallery import Enrol, GalleryCommand
from schemas.metrics import Metrics
from schemas.recognition_event import Identification, ReviewItem
from schemas.records import Record
from streams.matching.matcher import Matcher
from tests.gallery_entries import CAPTURED, MODEL, unit
from tests.index_entries import entry
from tests.unit.conditioned import DAY, Given, active, artefact, placed, sample
from tests.unit.matcher_probes import AXES, Watched, events_of, fill, matcher_on, one, probe

TAU = 0.2


def at(distance: float, away: int = 2) -> FloatVector:
    """Return a vector at this cosine distance from the first axis, toward another."""
    cosine = 1 - distance
    return np.asarray(cosine * AXES[0] + np.sqrt(1 - cosine**2) * AXES[away], np.float32)


@pytest.fixture
async def index() -> Watched:
    made = Watched()
    await fill(
        made, [entry("oak-1", "oak", AXES[0]), entry("elm-1", "elm", AXES[1])], {UNSHARDED: TAU}
    )
    return made


@pytest.fixture
def matcher(index: Watched, metrics: Metrics) -> Matcher:
    return matcher_on(index, metrics, include=True)


def enrolled(records: list[Record]) -> list[GalleryCommand]:
    return [GalleryCommand.read(r) for r in records if r.topic == "gallery-commands"]


async def test_a_sure_new_embedding_is_enrolled_by_the_matcher(matcher: Matcher) -> None:
    records = await matcher.handle([probe("x#1", at(0.1), background={"season": "winter"})])
    (event,) = events_of(records)
    assert isinstance(event, Identification)
    (command,) = enrolled(records)
    assert (command.identity, command.actor, command.reason) == ("oak", "matcher", "inclusion")
    action = command.action
    assert isinstance(action, Enrol)
    assert (action.entry_id, action.model, action.source) == ("x#1", MODEL, "cam-1")
    assert (action.background, action.captured_at) == ({"season": "winter"}, CAPTURED)
    assert action.vector.tolist() == unit(at(0.1)).tolist()
    assert records[-1].key == b"oak"


@pytest.mark.parametrize(
    ("distance", "reason"),
    [(0.01, "nothing_new"), (0.1, "included"), (0.19, "unsure"), (0.3, None)],
)
async def test_inclusions_are_counted_by_what_the_rule_said(
    matcher: Matcher, metrics: Metrics, distance: float, reason: str | None
) -> None:
    records = await matcher.handle([probe(vector=at(distance))])
    assert len(enrolled(records)) == (reason == "included")
    for said in ("included", "unsure", "contested", "nothing_new", "unknown"):
        counted = sample(metrics, "perennial_inclusions_total", reason=said)
        assert counted == (1 if said == reason else None)


async def test_a_rival_within_the_threshold_forbids_it(
    matcher: Matcher, index: Watched, metrics: Metrics
) -> None:
    rival = entry("yew-1", "yew", at(0.15, away=3))
    await fill(index, [entry("oak-1", "oak", AXES[0]), rival], {UNSHARDED: 0.5})
    assert enrolled(await matcher.handle([probe(vector=at(0.2, away=3))])) == []
    assert sample(metrics, "perennial_inclusions_total", reason="contested") == 1


async def test_a_repeat_gives_the_same_command(matcher: Matcher) -> None:
    first, second, other = [
        enrolled(await matcher.handle([probe(name, at(0.1))]))[0] for name in ("x", "x", "y")
    ]
    assert first.command_id == second.command_id != other.command_id
    assert first.command_id != "x", "a person's answer about the event has this id"


async def test_an_event_id_as_long_as_may_be_is_enrolled(matcher: Matcher) -> None:
    (command,) = enrolled(await matcher.handle([probe("x" * 300, at(0.1))]))
    assert command.command_id


async def test_its_own_entry_is_nothing_new_the_next_time(matcher: Matcher, index: Watched) -> None:
    await fill(
        index, [entry("oak-1", "oak", AXES[0]), entry("x", "oak", at(0.1))], {UNSHARDED: TAU}
    )
    assert enrolled(await matcher.handle([probe("x", at(0.1))])) == []


async def test_of_a_burst_one_of_each_identity_is_enrolled(
    matcher: Matcher, metrics: Metrics
) -> None:
    elm = np.asarray(0.9 * AXES[1] + np.sqrt(1 - 0.9**2) * AXES[3], np.float32)
    burst = [probe(f"oak-{i}", at(0.1 + i / 1000)) for i in range(5)]
    records = await matcher.handle([*burst, probe("elm-x", elm)])
    assert len(events_of(records)) == 6
    assert [command.identity for command in enrolled(records)] == ["oak", "elm"]
    assert sample(metrics, "perennial_inclusions_total", reason="nothing_new") == 4


async def test_nothing_enters_without_a_person_unless_asked_for(
    index: Watched, metrics: Metrics
) -> None:
    assert enrolled(await matcher_on(index, metrics).handle([probe(vector=at(0.1))])) == []


@pytest.fixture
def calibrated() -> Calibration:
    """From -2 (twice the threshold, no margin) to 1 (no distance, a margin of a threshold)."""
    return Calibration(1.0, np.array([-2.0, 1.0]), np.array([0.0, 0.9]))


async def test_the_probability_is_that_of_distance_and_margin(
    metrics: Metrics, calibrated: Calibration
) -> None:
    index = Watched()
    gallery = [placed("oak", "oak", AXES[0]), placed("elm", "elm", at(0.22, away=1))]
    await fill(index, gallery, active=active(), by_probe={"c0": TAU})
    matcher = matcher_on(index, metrics, placements=Given(artefact(calibration=calibrated)))
    known = await one(matcher, probe(vector=at(0.0), background=DAY))
    assert known.probability == pytest.approx(0.9), "a margin of 1.1 thresholds counts as 1"
    unknown = await one(matcher, probe(vector=AXES[2], background=DAY))
    assert isinstance(unknown, ReviewItem)
    assert unknown.probability == 0.0
    half = await one(matcher, probe(vector=at(0.1), background=DAY))
    assert half.margin is not None
    assert half.margin < TAU
    expected = (half.margin / TAU - 0.5 + 2) * 0.3
    assert half.probability == pytest.approx(expected)


async def test_without_threshold_neighbour_or_calibration_there_is_no_probability(
    metrics: Metrics, calibrated: Calibration
) -> None:
    index = Watched()
    given = Given(artefact(calibration=calibrated))
    matcher = matcher_on(index, metrics, placements=given)
    await fill(index, [], active=active(), by_probe={"c0": TAU})
    assert (await one(matcher, probe(background=DAY))).probability is None
    await fill(index, [placed("oak", "oak", AXES[0])], active=active(), by_probe={})
    assert (await one(matcher, probe(background=DAY))).probability is None
    await fill(index, [placed("oak", "oak", AXES[0])], active=active(), by_probe={"c0": TAU})
    assert (await one(matcher, probe(background=DAY))).probability == pytest.approx(0.9)
    given.given = artefact()
    assert (await one(matcher, probe(background=DAY))).probability is None


async def test_an_enrolment_is_as_old_as_the_publication_of_its_frame(matcher: Matcher) -> None:
    shown = probe("x#1", at(0.1), timings_ms={"published_at": 1_700_000_000_000.0})
    commands = [enrolled(await matcher.handle([shown]))[0] for _ in range(2)]
    assert [c.decided_at.timestamp() for c in commands] == [1_700_000_000, 1_700_000_000]


async def test_an_enrolment_is_never_from_the_future(matcher: Matcher) -> None:
    (command,) = enrolled(
        await matcher.handle([probe("x#1", at(0.1), timings_ms={"published_at": 2e14})])
    )
    assert command.decided_at <= now()
