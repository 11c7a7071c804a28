"""What the service tests share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client.admin import create_topics
from infra.cli import app
from infra.local.apache_kafka import ApacheKafka
from infra.local.embedded import EmbeddedRedis, Services
from infra.torture.model import write_cheap_model
from schemas.settings import Settings, environment, load_settings
from tests.secured.services import SecuredServices, secured_services
from tests.secured.session import as_user, in_session
from tests.services.commands import Run


@pytest.fixture(scope="session")
def light_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that tells photographs apart and costs almost nothing: most tests are of the way."""
    return write_cheap_model(tmp_path_factory.mktemp("light") / "model")


@pytest.fixture(scope="module")
def secured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecuredServices]:
    """A Kafka and a Redis with users and TLS; those of this run, where it asked for such."""
    if request.config.getoption("--secured"):
        request.getfixturevalue("stack_services")
        running = in_session()
        assert running is not None
        yield running
        return
    folder = tmp_path_factory.mktemp("secured")
    with secured_services(folder, load_settings().kafka_jars) as started:
        yield started
    gc.collect()


@pytest.fixture(autouse=True)
def coverage_of_children(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure child processes for tests marked ``counted`` alone: it costs half as much again."""
    if request.node.get_closest_marker("counted") is None:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(autouse=True)
def what_is_left_open() -> Iterator[None]:
    """Warn of a connection that a test left open in that test, and not in a later one."""
    yield
    gc.collect()


@pytest.fixture
def settings(settings: Settings, light_model: Path) -> Settings:
    """Settings for one test, with the light model."""
    return settings.model_copy(update={"model": light_model})


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis for one test alone, which it may stop and fill; the broker is that of all."""
    with EmbeddedRedis(tmp_path) as redis:
        yield redis


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of this test's deployment."""
    _export(settings, monkeypatch, "kafka_bootstrap_servers", "redis_url", "topic_prefix")

    def run_as(*arguments: object) -> Result:
        texts = [str(argument) for argument in arguments]
        login = ("kafka_security_", "redis_username", "redis_password", "redis_ca")
        prefix = os.environ.get("PERENNIAL_TOPIC_PREFIX", "")  # a test may have set another
        own = settings.model_copy(update={"topic_prefix": prefix})
        _export(as_user(own, texts[0]), monkeypatch, *login)
        return CliRunner().invoke(app, texts)

    return run_as


def _export(settings: Settings, monkeypatch: pytest.MonkeyPatch, *beginnings: str) -> None:
    """Set the variables whose settings begin so."""
    for name, value in environment(settings).items():
        if name.removeprefix("PERENNIAL_").lower().startswith(beginnings):
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def apache(
    stack_services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApacheKafka]:
    """Apache Kafka, whatever the other tests run on: that of the session, where it is one."""
    if isinstance(stack_services.broker, ApacheKafka):
        yield stack_services.broker
        return
    jars = load_settings().kafka_jars
    with ApacheKafka(tmp_path_factory.mktemp("apache"), jars=jars) as node:
        yield node


@pytest.fixture
def on_apache(settings: Settings, apache: ApacheKafka) -> Settings:
    """Settings on Apache Kafka, for what the embedded broker does not know: transactions."""
    if settings.need_kafka() == apache.address:
        return settings
    own = settings.model_copy(update={"kafka_bootstrap_servers": apache.address})
    create_topics(own)
    return own
