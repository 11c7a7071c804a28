"""Topics that are not as they must be: no service starts, and each is named with a remedy."""

import asyncio
import json
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # not marked as re-export

from client.admin import check_topics, create_topics, describe_topics, fix_topics
from client.broker import Broker
from schemas.errors import SetupError
from schemas.settings import Settings
from schemas.topics import CONDITIONING, FRAMES, GALLERY, GALLERY_COMMANDS, TOPICS
from tests.services.commands import Run
from tests.services.processes import Process


@pytest.fixture
def fresh(settings: Settings) -> Settings:
    """A deployment without topics."""
    return settings.model_copy(update={"topic_prefix": settings.topic_prefix + "fresh."})


def make(settings: Settings, *topics: NewTopic) -> None:
    broker = Broker(settings)
    broker.create(topics)
    broker.await_leaders([topic.topic for topic in topics])


def topics_of_people(settings: Settings) -> set[str]:
    """Return all topics but those that a broker makes for its own purposes."""
    return {name for name in Broker(settings).partitions() if not name.startswith("__")}


def test_created_topics_can_be_described_at_once(fresh: Settings) -> None:
    create_topics(fresh)
    assert [state.differences for state in describe_topics(fresh)] == [()] * len(TOPICS)
    check_topics(fresh)


@pytest.mark.parametrize("service", ["worker", "streams"])
def test_a_service_before_the_topics_refuses_and_makes_none(
    fresh: Settings, service: str, tmp_path: Path
) -> None:
    before = topics_of_people(fresh)
    process = Process(fresh, tmp_path / "log", service)
    assert process.ended(within_s=60) == 2
    said = (tmp_path / "log").read_text()
    assert all(fresh.topic(topic) + ": missing" in said for topic in TOPICS.values())
    assert "`perennial topics create` makes it" in said
    assert topics_of_people(fresh) == before


def test_three_partitions_and_deletion_are_refused_and_all_are_named(
    fresh: Settings, tmp_path: Path
) -> None:
    three, commands, deleted = map(fresh.topic, (GALLERY, GALLERY_COMMANDS, CONDITIONING))
    compact = {"cleanup.policy": "compact"}
    make(
        fresh,
        NewTopic(three, 3, 1, config=compact),
        NewTopic(commands, 3, 1),
        NewTopic(deleted, 1, 1, config={"cleanup.policy": "delete"}),
    )
    create_topics(fresh)
    with pytest.raises(SetupError) as refused:
        check_topics(fresh)
    said = str(refused.value)
    assert f"{three}: 3 partitions, the table says 1\n" in said
    assert f"{commands}: 3 partitions, the table says 1" in said
    assert f"{deleted}: cleanup.policy=delete, the table says compact" in said
    assert fresh.topic(FRAMES) not in said
    assert f"kafka-topics --delete --topic {three}" in said
    assert "perennial topics create --fix" in said
    process = Process(fresh, tmp_path / "log", "streams")
    assert process.ended(within_s=60) == 2
    assert said.splitlines()[1] in (tmp_path / "log").read_text()


def test_create_fails_and_fix_alters_what_can_be(
    settings: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", settings.topic_prefix + "other.")
    other = settings.model_copy(update={"topic_prefix": settings.topic_prefix + "other."})
    small = {"cleanup.policy": "delete", "max.message.bytes": "1000"}
    make(other, NewTopic(other.topic(GALLERY), 1, 1, config=small))
    failed = run("topics", "create")
    assert failed.exit_code == 2
    assert "cleanup.policy=delete, the table says compact" in failed.output
    assert "perennial topics create --fix" in failed.output
    fixed = run("topics", "create", "--fix")
    assert fixed.exit_code == 0, fixed.output
    assert f"{other.topic(GALLERY)}: cleanup.policy=compact" in fixed.output
    assert "min.compaction.lag.ms=3600000" in fixed.output
    check_topics(other)
    assert fix_topics(other) == []
    assert json.loads(run("topics", "create", "--fix", "--json").stdout)


def test_more_partitions_where_many_are_meant_are_no_fault(fresh: Settings) -> None:
    make(fresh, NewTopic(fresh.topic(FRAMES), 12, 1, config=FRAMES.config()))
    create_topics(fresh)
    check_topics(fresh)
    (frames, *_) = describe_topics(fresh)
    assert frames.differences == ("12 partitions, the table says 4",)


def test_topics_that_the_broker_unpacks_as_before_are_no_fault_and_can_be_altered(
    fresh: Settings,
) -> None:
    create_topics(fresh)
    frames = fresh.topic(FRAMES)
    Broker(fresh).alter({frames: {"compression.type": "uncompressed"}})
    check_topics(fresh)
    (state, *_) = describe_topics(fresh)
    assert state.differences == ("compression.type=uncompressed, the table says producer",)
    assert fix_topics(fresh) == [f"{frames}: compression.type=producer"]


async def test_doctor_fails_with_the_remedy(
    fresh: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(fresh, NewTopic(fresh.topic(GALLERY), 3, 1))
    create_topics(fresh)
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", fresh.topic_prefix)
    result = await asyncio.to_thread(run, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert findings["topics"]["level"] == "fail"
    assert "3 partitions" in findings["topics"]["detail"]
