"""On Apache Kafka, nothing of ours makes a topic that nobody created, whether it would or not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client.admin import create_topics
from client.broker import Broker
from infra.cli import app
from infra.local.apache_kafka import ApacheKafka
from infra.local.embedded import Services
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.runtime import Runtime
from schemas.settings import Settings, environment, load_settings
from schemas.topics import HUMAN_REVIEW, TOPICS
from streams.app import run
from tests.secured.session import admin
from tests.services.hostile import photograph
from tests.services.kafka import collecting, eventually, put, running
from tests.services.test_worker import frame, quick

pytestmark = pytest.mark.apache_broker("it needs Java and Maven")

_OF_KAFKA = {"__consumer_offsets"}
_COMMANDS = (
    "worker",
    "streams",
    "publish PHOTO",
    "watch identifications",
    "review list",
    "review answer cam/1 Bella",
    "gallery list",
    "topics describe",
)


@pytest.fixture(scope="module", params=[True, False], ids=["auto-create", "no auto-create"])
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApacheKafka]:
    folder = tmp_path_factory.mktemp("kafka")
    jars = load_settings().kafka_jars
    with ApacheKafka(folder, jars=jars, auto_create=request.param) as started:
        yield started


@pytest.fixture
def deployment(
    node: ApacheKafka, tmp_path: Path, stack_services: Services, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """A deployment without topics."""
    own = load_settings(
        kafka_bootstrap_servers=node.address,
        **{"redis_url": stack_services.redis, **admin("redis_")},
        topic_prefix=f"{tmp_path.name}.",
        worker_port=0,
        streams_port=0,
    )
    for name, value in environment(own).items():
        monkeypatch.setenv(name, value)
    return own


def topics_of(settings: Settings) -> set[str]:
    return set(Broker(settings).partitions()) - _OF_KAFKA


def test_no_command_makes_a_topic(deployment: Settings, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(photograph(1))
    before = topics_of(deployment)
    for command in _COMMANDS:
        ran = CliRunner().invoke(app, command.replace("PHOTO", str(photo)).split())
        assert ran.exit_code in (1, 2), (command, ran.output)
        assert topics_of(deployment) == before, command


async def test_no_service_makes_a_topic_beside_the_table(
    deployment: Settings, metrics: Metrics, health: Health
) -> None:
    before = topics_of(deployment)
    create_topics(deployment)
    async with (
        quick(deployment),
        running(lambda stop: run(Runtime(deployment, metrics, health), stop)),
        collecting(deployment, HUMAN_REVIEW) as asked,
    ):
        await put(deployment, [frame(deployment, number) for number in range(8)])
        await eventually(lambda: len(asked) >= 8, "each frame has its question")
    assert topics_of(deployment) - before == {deployment.topic(topic) for topic in TOPICS.values()}
