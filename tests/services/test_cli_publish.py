"""Publishing and following frames; the services are played by the test."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.follow import Follower
from client.names import Outgoing, file_id
from client.producer import _size, producer
from client.publish import publish
from schemas.codec import read_frame
from schemas.dead_letter import dead_letter
from schemas.errors import BadInput, SetupError
from schemas.event import bare_id
from schemas.recognition_event import DecidedBy
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import (
    DEAD_LETTERS,
    FRAMES,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
)
from tests.pictures import photograph
from tests.services.commands import Run, photographs, records
from tests.services.kafka import collecting, eventually, put
from tests.unit.infra_events import identification, review_item


def answer_to(settings: Settings, record: Record) -> list[Record]:
    """Answer as the services would: what a frame's name asks for."""
    frame = read_frame(record)
    if "silent" in frame.id:
        return []
    if "broken" in frame.id:
        topic, why = settings.topic(DEAD_LETTERS), BadInput("truncated", "half a JPEG")
        return [dead_letter(topic, record, why, "decode", 1, event=frame.name())]
    if "stranger" in frame.id:
        return records(settings, HUMAN_REVIEW, review_item(frame.name()))
    if "crowd" in frame.id:
        both = (identification(frame.name(0)), identification(frame.name(1)))
        return records(settings, IDENTIFICATIONS, *both)
    return records(settings, IDENTIFICATIONS, identification(frame.name()))


@asynccontextmanager
async def services_played(settings: Settings) -> AsyncIterator[list[Record]]:
    """Answer every frame; yield the frames seen."""
    async with collecting(settings, FRAMES) as seen:

        async def play() -> None:
            answered = 0
            while True:
                await asyncio.sleep(0.01)
                while answered < len(seen):
                    await put(settings, answer_to(settings, seen[answered]))
                    answered += 1

        task = asyncio.create_task(play())
        try:
            yield seen
        finally:
            task.cancel()


async def test_publish_sends_what_the_manifest_says(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    photographs(tmp_path, "a.jpg", "b.png")
    manifest = tmp_path / "photos" / "manifest.csv"
    manifest.write_text(
        "path,label,captured_at,season,camera\na.jpg,x,2025-01-01,winter,c9\nb.png\n"
    )
    result = await asyncio.to_thread(run, "publish", manifest, "--var", "herd=3", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"published": 2})
    async with collecting(settings, FRAMES) as found:
        await eventually(lambda: len(found) == 2, "two frames")
    first, second = sorted((read_frame(record) for record in found), key=lambda frame: frame.id)
    assert (first.id, first.source) == (file_id("a.jpg", b"bytes of a.jpg"), "c9")
    assert first.image == b"bytes of a.jpg"
    assert first.captured_at.isoformat() == "2025-01-01T00:00:00+00:00"
    assert first.background == {"season": "winter", "camera": "c9", "herd": 3}
    assert (second.id.partition("~")[0], second.source) == ("b.png", "cli")
    assert second.background == {"herd": 3}
    assert {record.header("content-type") for record in found} == {"image/jpeg", "image/png"}


async def test_photographs_say_themselves_when_they_were_taken(
    settings: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera's clock goes by the declared time zone, where it names no offset of its own."""
    declaration = tmp_path / "variables.yaml"
    declaration.write_text(
        "timezone: Europe/Brussels\nvariables:\n  hour: {type: cyclic, period: 24, derived: hour}\n"
    )
    monkeypatch.setenv("PERENNIAL_VARIABLES", str(declaration))
    folder = tmp_path / "photos"
    folder.mkdir()
    there, here = "2026:07:03 04:22:10", "2026:07:03 05:00:00"
    (folder / "a.jpg").write_bytes(
        photograph(DateTimeOriginal=there, OffsetTimeOriginal="-03:00", SubsecTimeOriginal="5")
    )
    (folder / "b.jpg").write_bytes(photograph(DateTimeOriginal=here))
    result = await asyncio.to_thread(run, "publish", folder)
    assert result.exit_code == 0
    async with collecting(settings, FRAMES) as found:
        await eventually(lambda: len(found) == 2, "two frames")
    first, second = sorted((read_frame(record) for record in found), key=lambda frame: frame.id)
    assert first.captured_at == datetime(2026, 7, 3, 7, 22, 10, 500_000, tzinfo=UTC)
    assert second.captured_at == datetime(2026, 7, 3, 3, 0, tzinfo=UTC)


def test_nothing_is_published_where_the_topics_are_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", "nobody.")
    result = run("publish", photographs(tmp_path, "a.jpg"))
    assert result.exit_code == 2
    assert "no topic nobody.frames" in result.stderr
    assert "run `perennial topics create`" in result.stderr


async def test_columns_that_are_not_declared_stay_behind(
    settings: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declaration = tmp_path / "variables.yaml"
    declaration.write_text("variables:\n  season: {type: nominal}\n")
    monkeypatch.setenv("PERENNIAL_VARIABLES", str(declaration))
    photographs(tmp_path, "a.jpg")
    manifest = tmp_path / "photos" / "manifest.csv"
    manifest.write_text("path,season,split\na.jpg,winter,train\n")
    result = await asyncio.to_thread(run, "publish", manifest)
    assert "not declared, stay behind: split" in result.stderr
    async with collecting(settings, FRAMES) as found:
        await eventually(lambda: len(found) == 1, "one frame")
    assert read_frame(found[0]).background == {"season": "winter"}


async def test_wait_follows_every_frame_to_its_outcome(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    folder = photographs(tmp_path, "a.jpg", "crowd.jpg", "stranger.jpg", "broken.jpg", "z/b.jpg")
    async with services_played(settings) as seen:
        result = await asyncio.to_thread(run, "publish", folder, "--wait", "--rate", "50")
        assert result.exit_code == 0, result.output
        assert "published 5 · identified 3 · review 1 · dead 1 · lost 0" in result.stdout
        assert "dead: truncated × 1" in result.stdout
        assert len(seen) == 5


async def test_wait_tells_what_was_lost(settings: Settings, run: Run, tmp_path: Path) -> None:
    folder = photographs(tmp_path, "a.jpg", "silent.jpg")
    async with services_played(settings):
        result = await asyncio.to_thread(
            run, "publish", folder, "--wait", "--timeout", "1", "--json"
        )
    assert result.exit_code == 1
    assert "`perennial worker`" in result.stderr
    found = json.loads(result.stdout)
    assert (found["published"], found["identified"], found["lost"]) == (2, 1, 1)
    assert [bare_id(name).partition("~")[0] for name in found["lost_ids"]] == ["silent.jpg"]
    assert 0 < found["latency_ms"]["end_to_end"]["p50"] < 60_000
    assert found["latency_ms"]["embed"] == {"p50": 4.0, "p95": 4.0}


async def test_the_same_path_in_two_folders_is_two_frames(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    for folder, content in (("first", b"Bella"), ("second", b"Ida")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "IMG_0001.jpg").write_bytes(content)
    async with services_played(settings) as seen:
        for folder in ("first", "second", "first"):
            result = await asyncio.to_thread(run, "publish", tmp_path / folder, "--wait")
            assert "identified 1 · review 0 · dead 0 · lost 0" in result.stdout
    names = [read_frame(record).name() for record in seen]
    assert names[0] == names[2] != names[1]


async def test_a_rate_spaces_frames_evenly(settings: Settings) -> None:
    sent: list[float] = []
    clock = asyncio.get_running_loop().time
    frames = [Outgoing(f"f{n}", "c", None, {}, None, "image/jpeg", lambda: b"x") for n in range(11)]
    began = clock()
    count = await publish(settings, frames, rate=20, progress=lambda _: sent.append(clock()))
    assert count == len(sent) == 11
    for number, at in enumerate(sent):
        assert at - began >= number / 20  # none ran ahead of its turn, however late the first was


async def test_a_file_that_vanished_stops_publishing_with_its_name(settings: Settings) -> None:
    def gone() -> bytes:
        raise FileNotFoundError("no such file")

    frames = [Outgoing("f1", "c", None, {}, None, "image/jpeg", gone)]
    with pytest.raises(SetupError, match="frame f1: no such file"):
        await publish(settings, frames)


async def test_a_record_that_is_too_large_is_refused(settings: Settings) -> None:
    async with producer(settings, FRAMES) as broker:
        with pytest.raises(SetupError) as refused:
            await broker.send(Record(settings.topic(FRAMES), b"k", bytes(FRAMES.max_bytes * 2)))
    said = str(refused.value)
    assert "50,331,7" in said, "its size"
    assert f"more than the {FRAMES.max_bytes:,} that {settings.topic(FRAMES)} takes" in said
    assert "image_uri" in said


async def test_the_largest_record_that_is_sent_is_taken(settings: Settings) -> None:
    frame = Record(settings.topic(FRAMES), b"k" * 9, b"", (("ce_id", b"north"), ("a", b"")))
    largest = replace(frame, value=bytes(FRAMES.max_bytes - _size(frame)))
    async with producer(settings, FRAMES) as broker:
        await broker.send(largest)
        with pytest.raises(SetupError, match="north was not sent"):
            await broker.send(replace(largest, value=bytes(len(largest.value or b"") + 1)))


def test_publish_names_what_is_too_large(run: Run, tmp_path: Path) -> None:
    (tmp_path / "huge.jpg").write_bytes(bytes(FRAMES.max_bytes))
    refused = run("publish", tmp_path / "huge.jpg")
    assert refused.exit_code == 2
    assert "huge.jpg has 25,165,824 bytes" in refused.output
    assert "nothing was published" in refused.output


async def test_a_follower_sees_only_what_comes_after_it(settings: Settings) -> None:
    topic = settings.topic(IDENTIFICATIONS)
    await put(settings, [identification("before").record(topic) for _ in range(50)])
    by_person = identification("after", decided_by=DecidedBy.PERSON, revision=2)
    unreadable = Record(topic, b"odd", b"{}", (("ce_id", b"odd"),))
    erased = Record(settings.topic(HUMAN_REVIEW), b"gone", None)
    async with Follower(settings) as follower:
        coming = [
            by_person.record(topic),
            erased,
            unreadable,
            identification("end#1").record(topic),
        ]
        await put(settings, coming)
        seen = []
        async for outcome in follower.outcomes():
            seen.append(outcome)
            if len(seen) == 2:
                break
    by_id = {outcome.event_id: outcome for outcome in seen}
    assert by_id["odd"].event is None
    assert (by_id["end#1"].frame, by_id["end#1"].kind) == ("end", "identified")
