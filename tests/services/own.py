"""A broker and a Redis for one test alone, which it may stop and kill."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.embedded import Services, services
from schemas.settings import load_settings


@contextmanager
def own_services(run_dir: Path) -> Iterator[Services]:
    """Run a Redis and a broker of the kind that this run of the tests is about."""
    named = load_settings()
    with services(run_dir=run_dir, broker=named.broker, kafka_jars=named.kafka_jars) as running:
        yield running
