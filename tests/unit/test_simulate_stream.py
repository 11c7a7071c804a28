"""The streaming protocol over the agents of the live system."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lab.simulate.summary import summarise
from lab.simulate.system import Simulated, System
from lab.simulate.variants import Chosen, SystemVariant
from schemas.embedding import Embedding
from schemas.errors import DependencyDown
from schemas.gallery import Status
from schemas.recognition_event import ReviewItem, ReviewReason
from schemas.settings import load_settings
from tests.conditionings import activation, conditioning, saved
from tests.unit.simulated import IDENTITIES, TELLS_APART, simulated, stream

PLAIN = SystemVariant(Chosen(), mad=False, include=False, wrong=0.0)


def wrong_entries(done: Simulated, labels: dict[str, str], status: Status) -> list[bool]:
    """Say of each entry of this status whether it is under a wrong name."""
    return [e.identity != labels[e.entry_id] for e in done.entries if e.status is status]


def _of(who: str, frames: list[Embedding], labels: dict[str, str]) -> list[Embedding]:
    return [frame for frame in frames if labels[frame.event_id] == who]


async def test_a_person_names_everybody_once_and_the_matcher_from_then_on() -> None:
    embeddings, labels = stream(rounds=6)
    done = await simulated(embeddings, labels, target_fpir=TELLS_APART)
    outcomes = done.outcomes
    assert outcomes.stranger.tolist() == [turn == 0 for turn in range(6) for _ in range(IDENTITIES)]
    assert outcomes.reviewed[:IDENTITIES].all()
    assert outcomes.right[IDENTITIES:].all()
    assert not outcomes.wrong.any()
    assert {e.entry_id for e in done.entries} == {e.event_id for e in embeddings[:IDENTITIES]}


@pytest.mark.parametrize(("delay", "turns"), [(0, 1), (7, 1), (8, 2), (20, 3)])
async def test_a_stranger_is_one_until_the_answer_is_there(delay: int, turns: int) -> None:
    # Everybody comes every eighth frame: an answer to frame f is enrolled for f + delay + 1.
    embeddings, labels = stream(rounds=5)
    done = await simulated(embeddings, labels, delay=delay)
    expected = [turn < turns for turn in range(5) for _ in range(IDENTITIES)]
    assert done.outcomes.stranger.tolist() == expected


async def test_each_frame_finds_all_that_was_enrolled_before_it() -> None:
    embeddings, _ = stream(rounds=3)
    system = System(load_settings(include=True, target_fpir=TELLS_APART), mad=False)
    await system.start()
    said = await system.see(embeddings[0])
    assert isinstance(said, ReviewItem)
    assert (said.reason, said.gallery_position) == (ReviewReason.GALLERY_EMPTY, -1)
    later = [await system.see(embedding) for embedding in embeddings[1:]]
    assert {event.gallery_position for event in later} == {-1}, "nobody answered"


async def test_with_inclusion_identified_frames_are_enrolled_at_once() -> None:
    embeddings, labels = stream(rounds=6)
    without = await simulated(embeddings, labels, target_fpir=TELLS_APART)
    done = await simulated(
        embeddings,
        labels,
        target_fpir=TELLS_APART,
        include=True,
        include_new=0.01,
        include_surer=1.0,
    )
    assert {entry.actor for entry in without.enrolments} == {"oracle"}
    by_matcher = {e.entry_id for e in done.enrolments if e.actor == "matcher"}
    right = {e.event_id for e, ok in zip(embeddings, done.outcomes.right, strict=True) if ok}
    assert by_matcher
    assert by_matcher <= right
    answered = {e.entry_id for e in done.enrolments if e.actor == "oracle"}
    assert len(answered) == done.outcomes.reviewed.sum() - done.outcomes.reviewed[-1]


async def test_mad_takes_wrong_answers_out_and_so_spares_people_work() -> None:
    embeddings, labels = stream(rounds=20, noise=0.15)
    without = await simulated(embeddings, labels, wrong=0.08, target_fpir=TELLS_APART)
    assert wrong_entries(without, labels, Status.QUARANTINED) == []
    assert sum(wrong_entries(without, labels, Status.ACTIVE)) > 10
    done = await simulated(embeddings, labels, wrong=0.08, target_fpir=TELLS_APART, mad=True)
    gone = wrong_entries(done, labels, Status.QUARANTINED)
    assert len(gone) > 5
    assert all(gone), "none but wrong ones"
    assert {e.reason for e in done.entries if e.status is Status.QUARANTINED} == {"retention: mad"}
    # A wrong entry is a near impostor of the right ones: it holds the threshold down.
    assert done.outcomes.reviewed.mean() < 0.85 * without.outcomes.reviewed.mean()


async def test_only_the_newest_stay() -> None:
    embeddings, labels = stream(rounds=4, noise=0.5)  # too much for most to be known
    done = await simulated(embeddings, labels, retention_newest=2, target_fpir=TELLS_APART)
    active = {e.entry_id for e in done.entries if e.status is Status.ACTIVE}
    answered = [
        e for e, asked in zip(embeddings[:-1], done.outcomes.reviewed, strict=False) if asked
    ]
    newest = {e.event_id for who in labels.values() for e in _of(who, answered, labels)[-2:]}
    assert active == newest
    assert {e.reason for e in done.entries if e.entry_id not in newest} == {"retention: count"}


async def test_frames_are_placed_and_judged_by_the_conditioning(tmp_path: Path) -> None:
    artefact = saved(tmp_path / "fitted", conditioning(8))
    embeddings, _ = stream(rounds=2, dimension=8)
    system = System(load_settings(), mad=True, active=activation(tmp_path / "fitted"))
    await system.start()
    for frame in embeddings[:2]:
        said = await system.see(frame)
        assert (said.conditioning, said.cluster) == (artefact.version, "c0")
    plain = System(load_settings(), mad=True)
    await plain.start()
    assert (await plain.see(embeddings[0])).conditioning is None


async def test_a_conditioning_that_is_gone_is_no_plain_system(tmp_path: Path) -> None:
    saved(tmp_path / "fitted", conditioning(8))
    active = activation(tmp_path / "fitted")
    (tmp_path / "fitted" / "conditioning.npz").unlink()
    with pytest.raises(DependencyDown, match="No such file"):
        await System(load_settings(), mad=True, active=active).start()


async def test_the_report_counts_what_became_of_the_frames(tmp_path: Path) -> None:
    embeddings, labels = stream(rounds=6)
    done = await simulated(embeddings, labels, target_fpir=TELLS_APART)
    report = summarise("plain", PLAIN, done, labels, 7.0)
    assert report.review == 1 / 6
    assert list(report.review_by_quarter) == [8 / 12, 0, 0, 0]
    assert list(report.error_by_quarter) == [0, 0, 0, 0]
    assert report.error == 0
    assert report.accuracy == 1
    assert (report.strangers, report.stranger_identities, report.fpir_met) == (8, 8, 0)
    assert (report.mad, report.version, report.conditioning) == (None, None, "none")
    assert (report.answered.right, report.answered.wrong) == (8, 0)
    assert (report.included.right, report.included.wrong) == (0, 0)
    assert (report.gallery.right, report.gallery.wrong) == (8, 0)
    assert report.quarantined == {}
    assert report.curves.frames[0] == 20
    assert report.curves.frames[-1] == len(embeddings)
    assert report.curves.review[0] == 8 / 20
    assert report.curves.error[-1] == 0
    assert report.frames_per_s > 0


async def test_a_simulation_is_not_spelled_out_when_its_task_is_told_of() -> None:
    done = await simulated(*stream(rounds=2))
    assert len(repr(done)) < 200


async def test_the_report_tells_right_from_wrong_entries_by_where_they_are_now() -> None:
    embeddings, labels = stream(rounds=20, noise=0.15)
    done = await simulated(embeddings, labels, wrong=0.08, target_fpir=TELLS_APART, mad=True)
    variant = SystemVariant(Chosen(), mad=True, include=False, wrong=0.08)
    report = summarise("x", variant, done, labels, 7)
    gone = report.quarantined["retention: mad"]
    found = wrong_entries(done, labels, Status.QUARANTINED)
    assert (gone.right, gone.wrong) == (len(found) - sum(found), sum(found))
    assert report.answered.right == report.gallery.right + gone.right
    assert report.answered.wrong == report.gallery.wrong + gone.wrong
    answered = int(done.outcomes.reviewed[:-1].sum())  # the last answer comes too late
    assert report.answered.right + report.answered.wrong == answered
    assert report.mad == 7


async def test_a_name_for_a_stranger_is_an_error() -> None:
    embeddings, labels = stream(rounds=6)
    known = [frame for frame in embeddings if labels[frame.event_id] != "p7"]
    # Then p7 comes, who looks like p6; nobody was told that there is such a one.
    lookalikes = [replace(e, event_id=f"new-{e.event_id}") for e in _of("p6", known, labels)]
    labels = {e.event_id: labels[e.event_id] for e in known}
    labels |= {e.event_id: "p7" for e in lookalikes}
    done = await simulated([*known, *lookalikes], labels, target_fpir=TELLS_APART)
    assert np.flatnonzero(done.outcomes.wrong).tolist() == list(range(42, 48))
    report = summarise("x", PLAIN, done, labels, 7)
    assert (report.strangers, report.stranger_identities) == (7 + 6, 8)
    assert report.fpir_met == 6 / 13
    assert report.error == 6 / 41
    assert list(report.error_by_quarter) == [0, 0, 0, 0.5]
    assert report.accuracy == 0.5
