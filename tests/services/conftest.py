"""What the service tests share."""

import pytest
from typer.testing import CliRunner

from infra.cli import app
from schemas.settings import Settings
from tests.services.commands import Run


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of this test's deployment."""
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", settings.need_kafka())
    monkeypatch.setenv("PERENNIAL_REDIS_URL", settings.need_redis())
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", settings.topic_prefix)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])
