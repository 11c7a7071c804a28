import json

from rich.console import Console

from client.follow import END_TO_END, Latency, Outcome, OutcomeKind, Tally
from infra.commands.publish import tally_screen
from schemas.dead_letter import dead_letter
from schemas.errors import BadInput
from schemas.records import Record
from tests.unit.infra_events import identification, review_item


def outcome(frame_id: str, kind: OutcomeKind, at: float, region: str = "") -> Outcome:
    event_id = frame_id + region
    event = {
        "identified": identification(event_id),
        "review": review_item(event_id),
        "dead": None,
    }[kind]
    origin = Record("frames", None, b"", (("ce_id", event_id.encode()),))
    record = dead_letter("dead-letters", origin, BadInput("truncated", "why"), "decode", 1)
    return Outcome(frame_id, event_id, kind, event, record, at)


def tally_of_four() -> Tally:
    tally = Tally()
    for number in range(4):
        tally.published(f"f{number}", at=100.0)
    tally.outcome(outcome("f0", "identified", 100.1))
    tally.outcome(outcome("f1", "review", 100.2))
    tally.outcome(outcome("f2", "dead", 100.3))
    return tally


def test_every_frame_is_counted_once() -> None:
    tally = tally_of_four()
    assert tally.counts == {"published": 4, "identified": 1, "review": 1, "dead": 1, "lost": 1}
    assert str(tally) == "published 4 · identified 1 · review 1 · dead 1 · lost 1"
    assert tally.lost == ["f3"]


def test_only_the_first_outcome_of_a_frame_counts() -> None:
    tally = Tally()
    tally.published("f", at=1.0)
    assert tally.outcome(outcome("f", "review", 1.5, "#0"))
    assert not tally.outcome(outcome("f", "identified", 9.0, "#1"))
    assert tally.counts["review"] == 1
    assert tally.counts["identified"] == 0
    assert tally.latencies[END_TO_END] == Latency(500, 500)


def test_a_frame_published_twice_is_one_frame_of_its_first_moment() -> None:
    tally = Tally()
    tally.published("f", at=1.0)
    tally.published("f", at=5.0)
    tally.outcome(outcome("f", "identified", 6.0))
    assert tally.counts["published"] == 1
    assert tally.latencies[END_TO_END].p50 == 5000


def test_other_publishers_frames_are_ignored() -> None:
    tally = Tally()
    assert not tally.outcome(outcome("stranger", "dead", 1.0))
    assert tally.counts["dead"] == 0


def test_latencies_leave_instants_out() -> None:
    assert set(tally_of_four().latencies) == {END_TO_END, "decode", "embed"}


def test_percentiles_by_hand() -> None:
    assert Latency.of([float(n) for n in range(101)]) == Latency(50, 95)


def test_the_json_is_complete_and_plain() -> None:
    found = json.loads(json.dumps(tally_of_four().to_json(), allow_nan=False))
    assert found["lost"] == 1
    assert found["lost_ids"] == ["f3"]
    assert found["dead_reasons"] == {"truncated": 1}
    assert found["latency_ms"]["embed"] == {"p50": 4.0, "p95": 4.0}
    assert found["latency_ms"]["end_to_end"]["p50"] == 200.0


def test_the_screen_names_what_was_lost_and_why_others_died() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(tally_screen(tally_of_four()))
    text = capture.get()
    assert "lost: f3" in text
    assert "dead: truncated × 1" in text


def test_a_long_list_of_lost_frames_is_cut() -> None:
    tally = Tally()
    for number in range(9):
        tally.published(f"f{number}")
    console = Console(width=100)
    with console.capture() as capture:
        console.print(tally_screen(tally))
    assert "lost: f4\nlost: and 4 more" in capture.get()


def test_nothing_published_is_nothing_lost() -> None:
    assert Tally().to_json()["lost"] == 0
    assert Tally().latencies == {}
