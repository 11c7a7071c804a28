"""A topic held against its row, and what a cluster of several brokers gets."""

from typing import Any

import pytest

from access.rights import Role
from client import admin
from client.admin import state_of, wanted_config
from schemas.errors import DependencyDown, SetupError
from schemas.runtime import Runtime
from schemas.settings import load_settings
from schemas.topics import FRAMES, GALLERY, TOPICS

KAFKA = load_settings(kafka_bootstrap_servers="kafka:9092")


class FakeBroker:
    """A cluster of so many brokers that remembers what it was asked to create."""

    brokers = 3
    made: list[Any]

    def __init__(self, _address: str) -> None:
        pass

    def size(self) -> int:
        return self.brokers

    def create(self, wanted: Any) -> dict[str, str]:
        type(self).made = list(wanted)
        return {topic.topic: "created" for topic in self.made}

    def await_leaders(self, names: Any) -> None:
        assert len(list(names)) == len(TOPICS)


@pytest.mark.parametrize(
    ("brokers", "replication", "copies", "in_sync"),
    [(1, None, 1, None), (2, None, 2, None), (3, None, 3, "2"), (9, None, 3, "2"), (3, 2, 2, None)],
)
def test_replicas_follow_the_cluster(
    monkeypatch: pytest.MonkeyPatch,
    brokers: int,
    replication: int | None,
    copies: int,
    in_sync: str | None,
) -> None:
    monkeypatch.setattr(admin, "Broker", type("Fake", (FakeBroker,), {"brokers": brokers}))
    admin.create_topics(KAFKA, replication)
    made = admin.Broker.made  # type: ignore[attr-defined]  # the fake's
    assert {topic.replication_factor for topic in made} == {copies}
    assert {topic.config.get("min.insync.replicas") for topic in made} == {in_sync}


def test_a_topic_as_the_table_says_has_no_difference() -> None:
    state = state_of(GALLERY, "gallery", {0: 3}, wanted_config(GALLERY, 3), 7)
    assert (state.partitions, state.copies, state.records) == (1, 3, 7)
    assert (state.differences, state.faults, state.fixes) == ((), (), {})


def test_replicas_that_may_all_be_behind_are_a_difference_but_no_fault() -> None:
    config = {**GALLERY.config(), "min.insync.replicas": "1"}
    state = state_of(GALLERY, "gallery", {0: 3}, config, 0)
    assert state.fixes == {"min.insync.replicas": "2"}
    assert state.faults == ()


def test_clean_up_is_a_fault_and_retention_is_not() -> None:
    config = {**FRAMES.config(), "retention.ms": "1", "cleanup.policy": "compact"}
    state = state_of(FRAMES, "frames", dict.fromkeys(range(12), 1), config, 0)
    assert state.faults == ("cleanup.policy=compact, the table says delete",)
    assert set(state.fixes) == {"retention.ms", "cleanup.policy"}
    assert state.differences[0] == "12 partitions, the table says 4"


def test_what_cannot_be_mended_by_configuration_is_refused_with_what_to_do() -> None:
    state = state_of(GALLERY, "gallery", {0: 1, 1: 1, 2: 1}, GALLERY.config(), 0)
    with pytest.raises(SetupError, match=r"(?s)gallery: 3 partitions.*kafka-topics --delete"):
        admin.refuse_faults(KAFKA, [state])


async def test_while_the_broker_is_away_the_service_waits_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import asyncio

    from prometheus_client import CollectorRegistry

    from infra import serve
    from schemas.health import Health
    from schemas.metrics import Metrics

    metrics = Metrics(CollectorRegistry())
    health = Health(metrics)
    stop = asyncio.Event()
    asked: list[str] = []
    begun: list[str] = []

    def away(_: Any) -> None:
        asked.append(health.report().get("kafka", "nothing"))
        if len(asked) < 3:
            raise DependencyDown("kafka", "nobody there")

    async def run(*_: Any) -> None:
        begun.append("run")

    monkeypatch.setattr(serve, "check_topics", away)
    await serve.on_checked_topics(run, Role.WORKER)(Runtime(KAFKA, metrics, health), stop)
    assert asked[0] == "nothing"
    assert "nobody there" in asked[2]
    assert begun == ["run"]
    asked.clear()
    begun.clear()
    stop.set()
    await serve.on_checked_topics(run, Role.WORKER)(Runtime(KAFKA, metrics, health), stop)
    assert (asked, begun) == ([], []), "it was stopped while it waited"
