"""What the service tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client.admin import create_topics
from infra.cli import app
from infra.local.apache_kafka import ApacheKafka
from infra.local.embedded import Services
from infra.torture.model import write_cheap_model
from schemas.settings import Settings
from tests.services.commands import Run


@pytest.fixture(scope="session")
def light_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that tells photographs apart and costs almost nothing: most tests are of the way."""
    return write_cheap_model(tmp_path_factory.mktemp("light") / "model")


@pytest.fixture(autouse=True)
def coverage_of_children(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure child processes for tests marked ``counted`` alone: it costs half as much again."""
    if request.node.get_closest_marker("counted") is None:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def settings(settings: Settings, light_model: Path) -> Settings:
    """Settings for one test, with the light model."""
    return settings.model_copy(update={"model": light_model})


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of this test's deployment."""
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", settings.need_kafka())
    monkeypatch.setenv("PERENNIAL_REDIS_URL", settings.need_redis())
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", settings.topic_prefix)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def on_apache(
    settings: Settings, stack_services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings on Apache Kafka, for what the embedded broker does not know: transactions."""
    if isinstance(stack_services.broker, ApacheKafka):
        yield settings
        return
    with ApacheKafka(tmp_path_factory.mktemp("apache"), jars=settings.kafka_jars) as node:
        own = settings.model_copy(update={"kafka_bootstrap_servers": node.address})
        create_topics(own)
        yield own
