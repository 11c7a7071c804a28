"""Fixtures that all suites share: one broker and one Redis a session, one topic prefix a test.

Without addresses in the environment they are started; ``--broker apache`` takes Apache Kafka in
place of the embedded broker. A service that is missing fails the tests; nothing is skipped.
"""

import faulthandler
import gc
import os
import uuid
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import hypothesis
import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from prometheus_client import CollectorRegistry

from client.admin import create_topics
from infra.local.embedded import Services, services
from schemas.choices import BrokerKind
from schemas.errors import DependencyDown
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.settings import Settings, load_settings
from tests.secured.services import secured_services
from tests.secured.session import NO_GOODBYE, admin, in_use

MAX_TEARDOWN_S = 300

_WAITING_DONE_AT = 0.8
"""When the last file of services has its turn, as a share of the run."""

# The suite tries the same examples each time: what passed here passes elsewhere. `make fuzz` tries
# others, and ten times as many. Neither has a deadline: a slow example is no failure.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile("suite")  # `--hypothesis-profile` comes after it


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--broker`` (else PERENNIAL_BROKER counts), ``--secured`` and ``--write-golden``."""
    parser.addoption(
        "--broker", choices=[kind.value for kind in BrokerKind], help="which broker tests start"
    )
    parser.addoption(
        "--secured", action="store_true", help="on Apache Kafka and Redis with users, TLS and ACLs"
    )
    parser.addoption(
        "--write-golden", action="store_true", help="write what tests/golden compares with anew"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell every process of the tests which broker was chosen, and where to keep what it makes."""
    # Of the project: what an older tree exported must not be read here, nor written to a home.
    os.environ.setdefault("PERENNIAL_CACHE", str(config.rootpath / ".pytest_cache" / "perennial"))
    if (broker := config.getoption("--broker")) is not None:
        os.environ["PERENNIAL_BROKER"] = broker
    if config.getoption("--secured"):
        os.environ["PERENNIAL_BROKER"] = BrokerKind.APACHE
        config.addinivalue_line("filterwarnings", NO_GOODBYE)
    for kind in BrokerKind:
        config.addinivalue_line(
            "markers", f"{kind}_broker(why): needs this broker, left out with another one"
        )
    config.addinivalue_line("markers", "counted: what its child processes run is covered, too")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among all that is imported: neither now nor later is any there."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only another broker than the one of this run can show, and mix the rest."""
    named = load_settings()
    started = named.broker if named.kafka_bootstrap_servers is None else None
    others = [f"{kind}_broker" for kind in BrokerKind if kind is not started]
    out = [item for item in items if any(map(item.get_closest_marker, others))]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]
    places = mixed(dict.fromkeys(item.path for item in items))
    items.sort(key=lambda item: places[item.path])


def mixed(files: Iterable[Path]) -> dict[Path, float]:
    """Return the turn of each file: those of services evenly among the first of the others.

    Where files are shared out, those that mostly wait so run beside those that compute; and no long
    one is what all wait for at the end.
    """
    files = list(files)
    waiting = [file for file in files if "services" in file.parts]
    computing = [file for file in files if file not in waiting]
    return {
        file: share * number / len(group)
        for group, share in ((waiting, _WAITING_DONE_AT), (computing, 1.0))
        for number, file in enumerate(group)
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """End the process where clearing up after a test never ends; say where it stood still.

    What runs Faust in our own loop and is broken off by the time limit leaves tasks that swallow
    their cancellation: asyncio then waits for them, and no time limit counts any more.
    """
    screen = item.config.stash[fault_handler_stderr_fd_key]  # which capturing does not redirect
    faulthandler.dump_traceback_later(MAX_TEARDOWN_S, exit=True, file=screen)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def stack_services(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """A real broker and a real Redis with vector search."""
    named = load_settings()
    if request.config.getoption("--secured"):
        folder = tmp_path_factory.mktemp("secured")
        with secured_services(folder, named.kafka_jars) as secured, in_use(secured):
            address = secured.admin["redis_url"]
            yield Services(secured.kafka.address, address, secured.kafka, secured.redis)
        return
    with services(
        named.kafka_bootstrap_servers,
        named.redis_url,
        broker=named.broker,
        kafka_jars=named.kafka_jars,
    ) as running:
        yield running


@pytest.fixture
def settings(stack_services: Services) -> Settings:
    """Settings for one test: its own topics, groups and keys; the topics exist."""
    own = load_settings(
        **{
            "kafka_bootstrap_servers": stack_services.kafka,
            "redis_url": stack_services.redis,
            **admin(),
        },
        topic_prefix=f"t{uuid.uuid4().hex[:8]}.",
        worker_port=0,
        streams_port=0,
    )
    try:
        create_topics(own)
    except DependencyDown:  # a broker that the test before had stopped comes back
        create_topics(own)
    return own


@pytest.fixture
def metrics() -> Metrics:
    """Metrics on a registry of their own."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def health(metrics: Metrics) -> Health:
    """The readiness of a service under test."""
    return Health(metrics)
