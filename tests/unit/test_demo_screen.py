import io
from dataclasses import replace
from itertools import count

import numpy as np
from rich.console import Console

from client.gallery import Gallery
from infra.demo.ledger import Ledger
from infra.demo.report import report
from infra.demo.run import Window
from infra.demo.screen import YearScreen, span, sparkline, tenth, tenth_is_over
from schemas.gallery import GalleryEntry, Status, under_term
from schemas.records import Record
from tests.unit.demo_events import START, frame, outcome

OFFSETS = count()


def shown(renderable: object) -> str:
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(renderable)
    return console.export_text()


def half_learnt() -> Ledger:
    """Twenty frames: the first ten go to a person, the others are known, one of them wrongly."""
    ledger = Ledger(20)
    for number in range(20):
        ledger.published(frame(number), 0.9)
        said = "elm" if number == 19 else "oak"
        ledger.ended(outcome(number, "review" if number < 10 else "identified", said))
    return ledger


def entry(entry_id: str, identity: str, status: Status = Status.ACTIVE) -> Record:
    made = GalleryEntry(
        entry_id=entry_id,
        identity=identity,
        status=status,
        model="m@1",
        cluster="all",
        background={},
        source="cam",
        captured_at=START,
        vector=np.ones(1, np.float32),
        actor="test",
        reason="test",
    )
    return placed(made.record("gallery"))


def placed(record: Record) -> Record:
    """Return the record as it lies on the topic, behind all that were placed before."""
    return replace(under_term(record, 1), offset=next(OFFSETS))


def test_sparkline_rises_with_the_share() -> None:
    assert sparkline([1.0, 0.5, 0.01, 0.0, None]).plain == "█▅▁▁·"
    bars = sparkline([n / 100 for n in range(101)]).plain
    assert list(bars) == sorted(bars)


def test_the_screen_shows_the_share_that_needs_a_person_falling() -> None:
    ledger, gallery = half_learnt(), Gallery()
    gallery.take(entry("a", "oak"))
    screen = YearScreen("A title", ledger, gallery, Window(4, 1.0))
    screen.take_note("worker died")
    text = shown(screen)
    rows = {line.split()[1]: line for line in text.splitlines() if "%" in line}
    assert "100%" in rows["1st"]
    assert " 0%" in rows["4th"]
    assert "10 Apr - 14 Apr" in rows["1st"]
    for part in ("A title", "1 entries of 1 identities", "20 of 20", "worker died"):
        assert part in text


def test_the_screen_before_anything_happened() -> None:
    assert "0 of 8" in shown(YearScreen("A title", Ledger(8), Gallery(), Window(4, 1.0)))


def test_a_stretch_without_times_has_no_span() -> None:
    assert span(Ledger(4).whole()) == ""


def test_tenth() -> None:
    assert tenth(half_learnt(), Gallery(), 1).startswith(" 10 %  2 frames: 0 identified, 0 wrong")
    assert "1 wrong, 0% to a person" in tenth(half_learnt(), Gallery(), 10)


def test_a_tenth_is_over_when_its_frames_have_ended_or_those_of_a_later_one() -> None:
    ledger = Ledger(20)
    for number in range(6):
        ledger.published(frame(number), 0.9)
    ledger.ended(outcome(0, "review"))
    assert not tenth_is_over(ledger, 1)
    ledger.ended(outcome(1, "review"))
    assert tenth_is_over(ledger, 1)
    for number in (4, 5):
        ledger.ended(outcome(number, "review"))
    assert tenth_is_over(ledger, 2)
    assert not tenth_is_over(ledger, 4)


def test_the_gallery_counts_what_its_topic_says() -> None:
    gallery = Gallery()
    for record in (entry("a", "oak"), entry("b", "oak"), entry("c", "elm"), entry("a", "oak")):
        gallery.take(record)
    assert (len(gallery), gallery.identities) == (3, 2)
    assert gallery.take(entry("c", "elm", Status.QUARANTINED)) == "c"
    assert gallery.take(placed(Record("gallery", b"entry:b", None))) == "b"
    assert (len(gallery), gallery.identities) == (1, 1)


def test_report_in_numbers() -> None:
    ledger = half_learnt()
    ledger.published(frame(20), 0.9)
    json = report("A title", ledger, Gallery(), 2.0, 3.0).to_json()
    assert (json["published"], json["identified"], json["reviewed"], json["lost"]) == (
        21,
        10,
        10,
        1,
    )
    assert json["accuracy"] == 0.9
    assert json["review_share"] == [1.0, 1.0, 0.0, 0.0]
    assert (json["review_share_first_quarter"], json["review_share_last_quarter"]) == (1.0, 0.0)
    assert json["latency_ms"]["end_to_end"] == {"p50": 100.0, "p95": 100.0}
    assert json["latency_ms"]["embed"]["p50"] == 4.0
    assert (json["models"], json["lost_ids"]) == (["m@1"], ["cam/f20"])


def test_report_in_words() -> None:
    text = shown(report("A title", half_learnt(), Gallery(), 2.0, 3.0))
    for part in ("lost 0", "90.0%: 9 of 10", "100% → 100% → 0% → 0%", "p50 100 ms", "embed 4"):
        assert part in text


def test_report_of_a_run_in_which_nothing_came_back() -> None:
    ledger = Ledger(4)
    ledger.published(frame(0), 0.9)
    summary = report("A title", ledger, Gallery(), 2.0, 3.0)
    assert summary.lost == 1
    assert summary.to_json()["accuracy"] is None
    assert "nothing came back" in shown(summary)
