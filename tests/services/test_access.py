"""Kafka and Redis with users, TLS and the least rights: what is refused is waited for, and said."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import psutil
import pytest
from aiokafka.client import AIOKafkaClient
from typer.testing import CliRunner

from access.kafka import aiokafka_options
from access.rights import Operation, Resource, Right, Role, kafka_rights, redis_rules
from client.access import check_access, missing_rights
from client.admin import create_topics
from client.broker import Broker
from infra.cli import app
from schemas.errors import DependencyDown, NotAllowed
from schemas.settings import Settings, environment, load_settings
from schemas.topics import DEAD_LETTERS, FRAMES, HUMAN_REVIEW, IDENTIFICATIONS
from tests.secured.certificates import Authority
from tests.secured.kafka import PLAIN_SECRET, SECRET
from tests.secured.running import Herd, Services, running_services
from tests.secured.services import PASSWORDS, SecuredServices
from tests.secured.session import NO_GOODBYE
from tests.secured.ways import way
from tests.services.kafka import collecting, eventually

pytestmark = [
    pytest.mark.apache_broker("it needs Java and Maven"),
    # asyncio leaves what broke off in a handshake to the garbage collector, in the proxy.
    pytest.mark.filterwarnings(NO_GOODBYE),
]

seen = partial(eventually, within_s=180)  # a busy machine may take as long

OUTCOMES = (IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS)
SECRETS = (SECRET, PLAIN_SECRET, *PASSWORDS.values())


@pytest.fixture(scope="module")
def admin(secured: SecuredServices) -> Settings:
    """A deployment of its own, as whoever may do anything sees it."""
    own = load_settings(**secured.admin, topic_prefix="herd.")
    create_topics(own)
    return own


@pytest.fixture(scope="module")
def services(
    secured: SecuredServices, admin: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    with running_services(secured, admin, tmp_path_factory.mktemp("services")) as running:
        yield running


@pytest.fixture
async def herd(services: Services, admin: Settings, all_closed: None) -> AsyncIterator[Herd]:
    await eventually(lambda: services.ready, "both services are ready", within_s=240)
    async with collecting(admin, *OUTCOMES) as found:
        yield Herd(admin, found)
        assert services.worker.alive
        assert services.streams.alive


@pytest.fixture
async def all_closed() -> AsyncIterator[None]:
    """Let connections say goodbye: aiokafka does not wait for its first one, and TLS answers."""
    yield
    loop: Any = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        while any(transport._sock is not None for transport in loop._transports.values()):
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("all_closed")
@pytest.mark.parametrize(
    "name", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER", "certificate"]
)
async def test_each_way_to_get_in(secured: SecuredServices, name: str, tmp_path: Path) -> None:
    settings = way(secured, name, tmp_path)
    assert Broker(settings).size() == 1
    client = AIOKafkaClient(**aiokafka_options(settings))
    try:
        await client.bootstrap()
        assert len(client.cluster.brokers()) == 1
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"kafka_security_password": "wrong"}, "name or password is wrong"),
        ({"kafka_security_username": "nobody"}, "user nobody: its name or password is wrong"),
        ({"kafka_security_ca": "OTHER"}, "not signed by whom we trust"),
        ({"kafka_security_ca": "/not/there"}, "authorities in /not/there cannot be read"),
        ({"kafka_bootstrap_servers": "BEHIND"}, "does not speak TLS on this port"),
        ({"kafka_security_protocol": "SASL_PLAINTEXT"}, "it speaks TLS on this port"),
    ],
)
def test_each_refusal_says_what_to_mend(
    secured: SecuredServices, admin: Settings, changed: dict[str, str], words: str, tmp_path: Path
) -> None:
    places = {
        "OTHER": str(Authority(tmp_path).ca),
        "BEHIND": f"127.0.0.1:{secured.kafka.behind_port}",
    }
    given = {**secured.admin, **{name: places.get(v, v) for name, v in changed.items()}}
    if given["kafka_security_protocol"] == "SASL_PLAINTEXT":
        del given["kafka_security_ca"]
    with pytest.raises(DependencyDown, match=words) as refused:
        check_access(load_settings(**given), Role.WORKER)
    assert not [secret for secret in SECRETS if secret in str(refused.value)]


def test_all_missing_rights_are_told_at_once(secured: SecuredServices, admin: Settings) -> None:
    bare = admin.model_copy(update=secured.user(Role.CURATOR))
    assert missing_rights(bare, Role.CURATOR) == kafka_rights(admin, Role.CURATOR)
    with pytest.raises(NotAllowed, match=r"user curator lacks on .*: Describe.*; Write on topic"):
        check_access(bare, Role.CURATOR)
    assert missing_rights(secured.as_role(admin, Role.CURATOR), Role.CURATOR) == []


async def test_a_missing_right_is_waited_for(
    secured: SecuredServices, services: Services, herd: Herd, admin: Settings
) -> None:
    await herd.send()
    await herd.answered()
    taken = [
        Right(Resource.TOPIC, admin.topic(topic), Operation.WRITE)
        for topic in (IDENTIFICATIONS, HUMAN_REVIEW)
    ]
    secured.kafka.revoke(Role.STREAMS, taken)
    await herd.send()
    said = [f"user streams lacks on localhost:{secured.kafka_proxy.port}", *map(str, taken)]
    await seen(lambda: services.waits(services.streams_url, *said), "it says what it lacks")
    secured.kafka.grant(Role.STREAMS, taken)
    await herd.answered()
    await seen(lambda: services.ready, "all is well again")


async def test_a_missing_right_to_read_is_waited_for(
    secured: SecuredServices, services: Services, herd: Herd, admin: Settings
) -> None:
    taken = [
        Right(Resource.TOPIC, admin.topic(FRAMES), Operation.READ),
        Right(Resource.GROUP, admin.workers_group, Operation.READ),
    ]
    secured.kafka.revoke(Role.WORKER, taken)
    await herd.send()
    await seen(
        lambda: services.waits(services.worker_url, "user worker lacks", *map(str, taken)),
        "it says what it lacks",
    )
    secured.kafka.grant(Role.WORKER, taken)
    await herd.answered()
    await seen(lambda: services.ready, "all is well again")


async def test_a_right_on_the_group_that_is_taken_while_nothing_comes(
    secured: SecuredServices, services: Services, herd: Herd, admin: Settings
) -> None:
    """It ends the heartbeats, and there is nothing to commit that would join the group anew."""
    taken = [Right(Resource.GROUP, admin.workers_group, Operation.READ)]
    secured.kafka.revoke(Role.WORKER, taken)
    await seen(
        lambda: services.waits(services.worker_url, "user worker lacks", *map(str, taken)),
        "it says what it lacks",
    )
    log = services.logs[0]
    joined = log.read_text().count("reading partitions")
    secured.kafka.grant(Role.WORKER, taken)
    await seen(lambda: log.read_text().count("reading partitions") > joined, "it joins anew")
    await seen(lambda: services.ready, "all is well again")
    await herd.send()
    await herd.answered()


async def test_an_expired_certificate_and_a_new_authority(
    secured: SecuredServices, services: Services, herd: Herd, tmp_path: Path
) -> None:
    proxy, good = secured.kafka_proxy, secured.authority.issue("behind")
    proxy.show(secured.authority.issue("expired", expired=True))
    await herd.send()
    for url in (services.worker_url, services.streams_url):
        await seen(lambda: services.waits(url, "certificate has expired"), "it says so")  # noqa: B023
    other = Authority(tmp_path, "other")
    proxy.show(other.issue("renewed"))
    services.ca.write_bytes(other.ca.read_bytes())
    await herd.answered()
    await seen(lambda: services.ready, "all is well again")
    services.ca.write_bytes(secured.authority.ca.read_bytes())
    proxy.show(good)


async def test_a_user_who_is_deleted_and_comes_back(
    secured: SecuredServices, services: Services, herd: Herd
) -> None:
    secured.kafka.remove_user(Role.WORKER)
    said = "user worker: its name or password is wrong"
    await seen(lambda: services.waits(services.worker_url, said), "told before it is cut off")
    secured.kafka_proxy.cut()
    await herd.send()
    secured.kafka.add_user(Role.WORKER, PASSWORDS[Role.WORKER])
    await herd.answered()
    await seen(lambda: services.ready, "all is well again")


async def test_redis_with_a_wrong_password_a_missing_right_and_an_expired_certificate(
    secured: SecuredServices, services: Services, herd: Herd, admin: Settings
) -> None:
    rules = redis_rules(admin, Role.STREAMS)
    good = secured.authority.issue("redis")

    async def told(*words: str) -> None:
        await herd.send()
        url = services.streams_url
        await seen(lambda: services.waits(url, "redis", *words), f"it says {words}")

    secured.let_in(Role.STREAMS, "another password", rules)
    secured.redis_proxy.cut()
    await told("invalid username-password pair")
    secured.let_in(Role.STREAMS, PASSWORDS[Role.STREAMS], [*rules, "-eval"])
    await told("no permissions to run the 'eval' command")
    secured.let_in(Role.STREAMS, PASSWORDS[Role.STREAMS], rules)
    secured.redis_proxy.show(secured.authority.issue("expired", expired=True))
    await told("certificate has expired")
    secured.redis_proxy.show(good)
    await herd.answered()
    await seen(lambda: services.ready, "all is well again")


def test_no_secret_is_shown_anywhere(
    services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = [log.read_text() for log in services.logs]
    for url in (services.worker_url, services.streams_url):
        for page in ("/metrics", "/readyz", "/healthz"):
            with urlopen(url + page) as answer:
                shown.append(answer.read().decode())
    children = psutil.Process().children(recursive=True)
    shown += [" ".join(child.cmdline()) for child in children if "perennial" in child.name()]
    for name, value in environment(services.settings[1]).items():
        monkeypatch.setenv(name, value)
    doctor = CliRunner().invoke(app, ["doctor", "--json"])
    assert '"redis"' in doctor.output, doctor.exception
    shown.append(doctor.output)
    quoted = [quote(secret, safe="") for secret in SECRETS]
    escaped = [json.dumps(secret)[1:-1] for secret in SECRETS]
    for text in shown:
        assert not [secret for secret in (*SECRETS, *quoted, *escaped) if secret in text]


def test_what_was_refused_left_no_error_that_nobody_heard(services: Services) -> None:
    assert [log.name for log in services.logs if "never retrieved" in log.read_text()] == []
