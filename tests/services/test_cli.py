"""The commands against a real broker and a real Redis; the services are played by the test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # not marked as export
from typer.testing import CliRunner, Result

from infra.admin import create_topics, describe_topics, lag
from infra.broker import Broker
from infra.cli import app
from infra.embedded import Services
from infra.follow import Follower
from infra.kafka import producer
from infra.manifest import Outgoing
from infra.publish import publish
from schemas.codec import read_frame
from schemas.dead_letter import dead_letter
from schemas.errors import BadInput, SetupError
from schemas.event import Event
from schemas.gallery import Enrol, Erase, GalleryCommand, GalleryEntry, Move, Quarantine, Status
from schemas.recognition_event import DecidedBy
from schemas.records import Record
from schemas.review import ReviewDecision
from schemas.settings import Settings, load_settings
from schemas.topics import (
    DEAD_LETTERS,
    FRAMES,
    GALLERY,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
    TOPICS,
    Topic,
)
from tests.services.kafka import collecting, eventually, put
from tests.unit.infra_events import entry, identification, review_item

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of this test's deployment."""
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", settings.need_kafka())
    monkeypatch.setenv("PERENNIAL_REDIS_URL", settings.need_redis())
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", settings.topic_prefix)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def records(settings: Settings, topic: Topic, *events: Event) -> list[Record]:
    return [event.record(settings.topic(topic)) for event in events]


def answer_to(settings: Settings, record: Record) -> list[Record]:
    """Answer as the services would: what a frame's name asks for."""
    frame = read_frame(record)
    if "silent" in frame.id:
        return []
    if "broken" in frame.id:
        why = BadInput("truncated", "half a JPEG")
        return [dead_letter(settings.topic(DEAD_LETTERS), record, why, "decode", 1)]
    if "stranger" in frame.id:
        return records(settings, HUMAN_REVIEW, review_item(frame.id))
    if "crowd" in frame.id:
        both = (identification(f"{frame.id}#0"), identification(f"{frame.id}#1"))
        return records(settings, IDENTIFICATIONS, *both)
    return records(settings, IDENTIFICATIONS, identification(frame.id))


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


def photographs(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bytes of " + name.encode())
    return folder / "photos"


def test_topics_are_created_once(
    stack_services: Services, run: Run, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", prefix := f"{settings.topic_prefix}again.")
    names = [prefix + name for name in TOPICS]
    missing = run("topics", "describe", "--json")
    assert missing.exit_code == 1
    assert [(t["name"], t["differences"]) for t in json.loads(missing.stdout)] == [
        (name, ["missing"]) for name in names
    ]
    assert json.loads(run("topics", "create", "--json").stdout) == dict.fromkeys(names, "created")
    again = run("topics", "create", "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == dict.fromkeys(names, "exists")
    described = run("topics", "describe", "--json")
    assert described.exit_code == 0
    states = {state["name"]: state for state in json.loads(described.stdout)}
    assert states[prefix + "frames"]["partitions"] == FRAMES.partitions
    assert states[prefix + "human-review"]["config"]["cleanup.policy"] == "compact,delete"
    assert not any(state["differences"] for state in states.values())


async def test_describe_and_lag_count_records(settings: Settings, run: Run) -> None:
    for _ in range(3):  # one batch each: the embedded broker miscounts the newest batch
        await put(settings, [Record(settings.topic(FRAMES), b"k", b"x")])
    (frames, *_) = describe_topics(settings)
    assert frames.records == 3
    assert sum(lag(settings).values()) == 3
    shown = await asyncio.to_thread(run, "topics", "describe")
    assert f"{settings.topic(FRAMES)}" in shown.stdout


def test_a_topic_that_differs_is_told(settings: Settings) -> None:
    other = settings.model_copy(update={"topic_prefix": settings.topic_prefix + "old."})
    small = NewTopic(other.topic(FRAMES), 2, 1, config={"cleanup.policy": "compact"})
    Broker(other.need_kafka()).create([small])
    assert set(create_topics(other).values()) == {"exists", "created"}
    (frames, *others) = describe_topics(other)
    assert frames.differences[:2] == (
        "2 partitions, the table says 4",
        "cleanup.policy=compact, the table says delete",
    )
    assert not any(state.differences for state in others)


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
    assert (first.id, first.source, first.image) == ("a.jpg", "c9", b"bytes of a.jpg")
    assert first.captured_at.isoformat() == "2025-01-01T00:00:00+00:00"
    assert first.background == {"season": "winter", "camera": "c9", "herd": 3}
    assert (second.id, second.source, second.background) == ("b.png", "cli", {"herd": 3})
    assert {record.header("content-type") for record in found} == {"image/jpeg", "image/png"}


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
    found = json.loads(result.stdout)
    assert (found["published"], found["identified"], found["lost"]) == (2, 1, 1)
    assert found["lost_ids"] == ["silent.jpg"]
    assert 0 < found["latency_ms"]["end_to_end"]["p50"] < 60_000
    assert found["latency_ms"]["embed"] == {"p50": 4.0, "p95": 4.0}


async def test_a_rate_spaces_frames_evenly(settings: Settings) -> None:
    sent: list[float] = []
    clock = asyncio.get_running_loop().time
    frames = [Outgoing(f"f{n}", "c", None, {}, None, "image/jpeg", lambda: b"x") for n in range(11)]
    count = await publish(settings, frames, rate=20, progress=lambda _: sent.append(clock()))
    assert count == len(sent) == 11
    assert sent[-1] - sent[0] >= 0.49  # ten gaps of 50 ms
    for number, at in enumerate(sent):
        assert at - sent[0] >= number / 20 - 0.05  # none ran ahead of its turn


async def test_a_file_that_vanished_stops_publishing_with_its_name(settings: Settings) -> None:
    def gone() -> bytes:
        raise FileNotFoundError("no such file")

    frames = [Outgoing("f1", "c", None, {}, None, "image/jpeg", gone)]
    with pytest.raises(SetupError, match="frame f1: no such file"):
        await publish(settings, frames)


async def test_a_record_that_is_too_large_is_refused(settings: Settings) -> None:
    async with producer(settings, FRAMES) as broker:
        with pytest.raises(SetupError, match="frames is too large"):
            await broker.send(Record(settings.topic(FRAMES), b"k", bytes(FRAMES.max_bytes * 2)))


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
    assert (by_id["end#1"].frame_id, by_id["end#1"].kind) == ("end", "identified")
    async with Follower(settings) as follower:
        await put(settings, [by_person.record(topic)])
        found = await follower.batch(10, include_person=True)
    assert [outcome.event_id for outcome in found] == ["after"]


async def test_watch_shows_events(settings: Settings, run: Run) -> None:
    events = [identification(f"f{n}") for n in range(3)]
    await put(settings, records(settings, IDENTIFICATIONS, *events))
    watch = ("watch", "identifications", "--from-beginning", "--limit", "3")
    shown = await asyncio.to_thread(run, *watch)
    assert shown.exit_code == 0
    assert sorted(line.split()[2] for line in shown.stdout.splitlines()) == ["f0", "f1", "f2"]
    plain = await asyncio.to_thread(run, *watch, "--json")
    lines = [json.loads(line) for line in plain.stdout.splitlines()]
    assert sorted(line["event_id"] for line in lines) == ["f0", "f1", "f2"]
    assert {line["identity"] for line in lines} == {"Bella"}


async def test_watch_waits_for_what_comes(settings: Settings, run: Run) -> None:
    await put(settings, records(settings, GALLERY, entry("old")))
    watching = asyncio.create_task(
        asyncio.to_thread(run, "watch", "gallery", "--limit", "1", "--json")
    )
    while not watching.done():
        await put(settings, records(settings, GALLERY, entry("new")))
        await asyncio.sleep(0.1)
    assert json.loads((await watching).stdout)["entry_id"] == "new"


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


async def test_an_item_asked_again_is_open_again(settings: Settings, run: Run) -> None:
    await put(settings, records(settings, HUMAN_REVIEW, review_item("f1")))
    unknown = await asyncio.to_thread(run, "review", "answer", "f1", "--unknown")
    assert unknown.exit_code == 0
    assert json.loads((await asyncio.to_thread(run, "review", "list", "--json")).stdout) == []
    await put(settings, records(settings, HUMAN_REVIEW, review_item("f1")))
    listed = await asyncio.to_thread(run, "review", "list", "--json")
    assert [item["event_id"] for item in json.loads(listed.stdout)] == ["f1"]


def test_an_answer_to_nothing_is_refused(run: Run) -> None:
    result = run("review", "answer", "nobody", "Bella")
    assert result.exit_code == 2
    assert "no review item 'nobody': `perennial review list`" in result.stderr


async def test_the_oracle_answers_what_its_manifest_knows(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label\na.jpg,Bella\nb.jpg,Ida\nc.jpg,\n")
    items = [review_item(name) for name in ("a.jpg", "b.jpg#1", "c.jpg", "d.jpg")]
    await put(settings, records(settings, HUMAN_REVIEW, *items))
    result = await asyncio.to_thread(run, "review", "auto", manifest, "--idle", "2", "--json")
    assert result.exit_code == 0, result.output
    answered = {a["event_id"]: a["identity"] for a in map(json.loads, result.stdout.splitlines())}
    assert answered == {"a.jpg": "Bella", "b.jpg#1": "Ida"}
    async with collecting(settings, REVIEW_DECISIONS) as found:
        await eventually(lambda: len(found) == 2, "two decisions")
    assert {ReviewDecision.read(record).actor for record in found} == {"oracle"}


async def gallery_of_three(settings: Settings) -> None:
    topic = settings.topic(GALLERY)
    await put(
        settings,
        [
            *records(settings, GALLERY, entry("e1"), entry("e2"), entry("e3", "Ida")),
            entry("e2", status=Status.QUARANTINED, reason="outlier").record(topic),
            *records(settings, GALLERY, entry("e4", "Ida")),
            Record(topic, b"e4", None),
        ],
    )


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
    assert [item["entry_id"] for item in listed] == ["e1", "e2", "e3"]
    assert "vector" not in listed[0]
    only = await asyncio.to_thread(run, "gallery", "list", "--status", "quarantined")
    assert "e2" in only.stdout
    assert "e1" not in only.stdout


@pytest.mark.parametrize(
    ("command", "action"),
    [
        (["quarantine", "Bella", "--entry", "e1"], Quarantine(entry_ids=("e1",))),
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
    assert "Ida has no entry e1" in strange.stderr


def test_doctor_finds_a_whole_deployment_well(run: Run) -> None:
    result = run("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert result.exit_code == 0, findings
    named = {"settings", "broker", "topics", "lag", "redis", "search", "timeouts", "eviction"}
    assert findings.keys() == named | {"clock", "model"}
    assert {finding["level"] for finding in findings.values()} == {"ok"}, findings


def test_doctor_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", "nobody.")
    monkeypatch.setenv("PERENNIAL_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    result = run("doctor")
    assert result.exit_code == 1
    assert "missing: nobody.frames" in result.stdout
    assert "run `perennial topics create`" in result.stdout
    assert "PERENNIAL_REDIS_URL name the one that runs" in result.stdout
    assert "secret" not in result.stdout


async def test_enrol_waits_until_the_gallery_holds_the_images(
    settings: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    photographs(tmp_path, "broken.jpg", "nameless.jpg")
    for name in ("a.png", "b.png"):
        assert cv2.imwrite(str(tmp_path / "photos" / name), pixels)
    manifest = tmp_path / "photos" / "manifest.csv"
    manifest.write_text(
        "path,label,captured_at,season\na.png,Bella,2025-01-01T06:00,winter\n"
        "broken.jpg,Ida,,\nnameless.jpg,,,\nb.png,Ida,,monsoon\n"
    )
    declaration = tmp_path / "variables.yaml"
    declaration.write_text(
        "variables:\n  season: {type: nominal, values: [winter, summer]}\n"
        "  hour: {type: cyclic, period: 24, derived: hour}\n"
    )
    monkeypatch.setenv("PERENNIAL_VARIABLES", str(declaration))

    async def gallery_agent(asked: list[Record]) -> None:
        await eventually(lambda: len(asked) == 1, "a command")
        command = GalleryCommand.read(asked[0])
        assert isinstance(command.action, Enrol)
        held = command.action.model_dump(exclude={"action"})
        entered = GalleryEntry(
            **held, identity=command.identity, cluster="all", actor="cli", reason=command.reason
        )
        await put(settings, records(settings, GALLERY, entered))

    async with collecting(settings, GALLERY_COMMANDS) as asked:
        agent = asyncio.create_task(gallery_agent(asked))
        result = await asyncio.to_thread(run, "enrol", manifest, "--json")
        await agent
    assert result.exit_code == 1  # three were refused
    found = json.loads(result.stdout)
    assert (found["enrolled"], found["refused"], found["missing"]) == (1, 3, 0)
    assert "season='monsoon'" in found["why_refused"]["b.png"]
    assert found["why_refused"]["nameless.jpg"] == "it has no label"
    assert "refused broken.jpg" in result.stderr
    command = GalleryCommand.read(asked[0])
    assert (command.id, command.identity) == ("enrol-a.png", "Bella")
    assert isinstance(command.action, Enrol)
    assert command.action.background == {"season": "winter", "hour": 6.0}
    assert command.action.model == load_model_version()
    assert abs(float(np.linalg.norm(command.action.vector)) - 1) < 1e-3


async def test_enrol_tells_when_nobody_takes_the_images(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    import cv2

    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), np.zeros((64, 64, 3), np.uint8))
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label\na.png,Bella\n")
    result = await asyncio.to_thread(run, "enrol", manifest, "--timeout", "1")
    assert result.exit_code == 1
    assert "enrolled 0 · refused 0 · missing 1" in result.stdout
    assert "is `perennial streams` running?" in " ".join(result.stderr.split())


def load_model_version() -> str:
    from workers.model import load_model

    settings = load_settings()
    model = load_model(
        settings.model,
        device=settings.device,
        precision=settings.precision,
        threads=settings.threads,
    )
    return model.version
