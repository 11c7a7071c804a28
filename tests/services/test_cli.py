"""Topics, watching and the doctor, against a real broker and a real Redis."""

import asyncio
import json

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # not marked as export

from client.admin import create_topics, describe_topics, lag
from client.broker import Broker
from infra.local.embedded import Services
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import (
    FRAMES,
    GALLERY,
    IDENTIFICATIONS,
    TOPICS,
)
from tests.secured.session import admin
from tests.services.commands import Run, records
from tests.services.kafka import put
from tests.unit.infra_events import entry, identification


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
    Broker(other).create([small])
    assert set(create_topics(other).values()) == {"exists", "created"}
    (frames, *others) = describe_topics(other)
    assert frames.differences[:2] == (
        "2 partitions, the table says 4",
        "cleanup.policy=compact, the table says delete",
    )
    assert not any(state.differences for state in others)


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


def test_doctor_finds_a_whole_deployment_well(run: Run) -> None:
    result = run("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert result.exit_code == 0, findings
    named = {"settings", "broker", "topics", "lag", "redis", "search", "timeouts", "eviction"}
    assert findings.keys() == named | {"clock", "model", "runtime"}
    assert {finding["level"] for finding in findings.values()} == {"ok"}, findings


def test_doctor_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", "nobody.")
    login = "" if admin() else ":secret@"  # a user of the settings may have no second password
    monkeypatch.setenv("PERENNIAL_REDIS_URL", f"redis://{login}127.0.0.1:1/0")
    result = run("doctor")
    assert result.exit_code == 1
    assert "missing: nobody.frames" in result.stdout
    assert "run `perennial topics create`" in result.stdout
    assert "PERENNIAL_REDIS_URL name the one that runs" in result.stdout
    assert "secret" not in result.stdout
