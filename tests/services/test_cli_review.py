"""Reviews and the gallery through the commands; their events are put by hand."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from schemas.gallery import (
    Erase,
    GalleryCommand,
    Move,
    Quarantine,
    Restore,
    Status,
    entry_key,
    under_term,
)
from schemas.recognition_event import ReviewDecision
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import (
    GALLERY,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    REVIEW_DECISIONS,
)
from tests.services.commands import Run, records
from tests.services.kafka import collecting, eventually, put
from tests.unit.infra_events import entry, review_item


async def test_a_review_is_listed_answered_and_closed(settings: Settings, run: Run) -> None:
    await put(settings, records(settings, HUMAN_REVIEW, review_item("f1"), review_item("f2")))
    listed = await asyncio.to_thread(run, "review", "list", "--json")
    assert [item["event_id"] for item in json.loads(listed.stdout)] == ["f1", "f2"]
    answered = await asyncio.to_thread(run, "review", "answer", "f1", "Bella", "--actor", "ann")
    assert answered.exit_code == 0
    async with collecting(settings, REVIEW_DECISIONS) as found:
        await eventually(lambda: len(found) == 1, "one decision")
    decision = ReviewDecision.read(found[0])
    assert (decision.id, decision.identity, decision.actor) == ("f1", "Bella", "ann")
    assert decision.item.model_dump_json() == review_item("f1").model_dump_json()
    listed = await asyncio.to_thread(run, "review", "list")
    assert "f2" in listed.stdout
    assert "1 open" in listed.stdout
    assert "f1" not in listed.stdout


async def test_an_item_is_shown_with_all_that_is_known_of_it(settings: Settings, run: Run) -> None:
    poor = review_item("north/IMG_1.jpg")
    await put(settings, records(settings, HUMAN_REVIEW, poor, review_item("f2", quality=None)))
    listed = await asyncio.to_thread(run, "review", "list")
    assert "quality" in listed.stdout
    assert "0.92" in listed.stdout
    told = json.loads(
        (await asyncio.to_thread(run, "review", "show", "IMG_1.jpg", "--json")).stdout
    )
    assert told == poor.model_dump(mode="json", exclude={"vector"})
    shown = (await asyncio.to_thread(run, "review", "show", "north/IMG_1.jpg")).stdout
    assert "beyond_threshold" in shown
    assert '"sharpness": 0.5' in " ".join(shown.split())


async def test_an_item_asked_again_is_open_again(settings: Settings, run: Run) -> None:
    await put(settings, records(settings, HUMAN_REVIEW, review_item("f1")))
    unknown = await asyncio.to_thread(run, "review", "answer", "f1", "--unknown")
    assert unknown.exit_code == 0
    assert json.loads((await asyncio.to_thread(run, "review", "list", "--json")).stdout) == []
    await put(settings, records(settings, HUMAN_REVIEW, review_item("f1")))
    listed = await asyncio.to_thread(run, "review", "list", "--json")
    assert [item["event_id"] for item in json.loads(listed.stdout)] == ["f1"]


async def test_a_bare_id_is_answered_where_it_is_unique(settings: Settings, run: Run) -> None:
    names = ("north/IMG_0001.jpg", "south/IMG_0001.jpg", "south/IMG_0002.jpg~0123456789ab")
    await put(settings, records(settings, HUMAN_REVIEW, *map(review_item, names)))
    several = await asyncio.to_thread(run, "review", "answer", "IMG_0001.jpg", "Bella")
    assert several.exit_code == 2
    assert "north/IMG_0001.jpg, south/IMG_0001.jpg" in " ".join(several.stderr.split())
    for given in ("IMG_0002.jpg", "north/IMG_0001.jpg"):
        assert (await asyncio.to_thread(run, "review", "answer", given, "Ida")).exit_code == 0
    async with collecting(settings, REVIEW_DECISIONS) as found:
        await eventually(lambda: len(found) == 2, "two decisions")
    assert {ReviewDecision.read(record).id for record in found} == {names[0], names[2]}


def test_an_answer_to_nothing_is_refused(run: Run) -> None:
    result = run("review", "answer", "nobody", "Bella")
    assert result.exit_code == 2
    assert "no review item 'nobody': `perennial review list`" in result.stderr


async def test_the_oracle_answers_what_its_manifest_knows(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label\na.jpg,Bella\nb.jpg,Ida\nc.jpg,\n")
    items = [review_item(name) for name in ("cli/a.jpg", "cli/b.jpg#1", "cli/c.jpg", "d.jpg")]
    await put(settings, records(settings, HUMAN_REVIEW, *items))
    result = await asyncio.to_thread(run, "review", "auto", manifest, "--idle", "2", "--json")
    assert result.exit_code == 0, result.output
    answered = {a["event_id"]: a["identity"] for a in map(json.loads, result.stdout.splitlines())}
    assert answered == {"cli/a.jpg": "Bella", "cli/b.jpg#1": "Ida"}
    async with collecting(settings, REVIEW_DECISIONS) as found:
        await eventually(lambda: len(found) == 2, "two decisions")
    assert {ReviewDecision.read(record).actor for record in found} == {"oracle"}


async def gallery_of_three(settings: Settings) -> None:
    out = entry("north/2.jpg", status=Status.QUARANTINED, reason="outlier")
    entries = (entry("e1"), entry("north/2.jpg"), entry("e3", "Ida"), out, entry("e4", "Ida"))
    tombstone = Record(settings.topic(GALLERY), entry_key("e4"), None)
    await put(settings, [*records(settings, GALLERY, *entries), under_term(tombstone, 1)])


async def test_the_gallery_is_counted_and_listed(settings: Settings, run: Run) -> None:
    await gallery_of_three(settings)
    counted = json.loads((await asyncio.to_thread(run, "gallery", "stats", "--json")).stdout)
    assert counted == {
        "identities": 2,
        "active": 2,
        "quarantined": 1,
        "clusters": {"winter": 2},
        "models": {"m@1": 2},
        "quarantine_reasons": {"outlier": 1},
    }
    shown = await asyncio.to_thread(run, "gallery", "stats")
    assert "quarantine reasons outlier" in shown.stdout
    listed = json.loads((await asyncio.to_thread(run, "gallery", "list", "--json")).stdout)
    assert [item["entry_id"] for item in listed] == ["e1", "north/2.jpg", "e3"]
    assert "vector" not in listed[0]
    only = await asyncio.to_thread(run, "gallery", "list", "--status", "quarantined")
    assert "north/2.jpg" in only.stdout
    assert "e1" not in only.stdout


@pytest.mark.parametrize(
    ("command", "action"),
    [
        (["quarantine", "Bella", "--entry", "e1"], Quarantine(entry_ids=("e1",))),
        (["restore", "Bella", "--entry", "2.jpg"], Restore(entry_ids=("north/2.jpg",))),
        (["rename", "Bella", "Bela"], Move(action="rename", to="Bela")),
        (["erase", "Bella", "--yes"], Erase()),
    ],
)
async def test_changes_of_the_gallery_are_asked_for(
    settings: Settings, run: Run, command: list[str], action: Any
) -> None:
    await gallery_of_three(settings)
    arguments = ["gallery", *command, "--reason", "seen", "--actor", "ann"]
    result = await asyncio.to_thread(run, *arguments)
    assert result.exit_code == 0, result.output
    async with collecting(settings, GALLERY_COMMANDS) as found:
        await eventually(lambda: len(found) == 1, "one command")
    asked = GalleryCommand.read(found[0])
    assert (asked.identity, asked.actor, asked.reason) == ("Bella", "ann", "seen")
    assert asked.action == action
    assert found[0].key == b"Bella"


async def test_a_name_that_is_not_there_gets_a_suggestion(settings: Settings, run: Run) -> None:
    await gallery_of_three(settings)
    result = await asyncio.to_thread(run, "gallery", "erase", "Bela", "--reason", "x", "--yes")
    assert result.exit_code == 2
    assert "no identity 'Bela' among the 2" in result.stderr
    assert "did you mean Bella?" in result.stderr
    strange = await asyncio.to_thread(
        run, "gallery", "restore", "Ida", "--entry", "e1", "--reason", "x"
    )
    assert strange.exit_code == 2
    assert "no entry of Ida 'e1'" in strange.stderr
