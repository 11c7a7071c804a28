"""Apache Kafka as we start it, for real: what it keeps, where it listens, what stops its start."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from infra.local.apache_kafka import ApacheKafka, kafka_jars
from infra.local.local_server import EmbeddedUnavailable
from schemas.errors import SetupError
from schemas.settings import load_settings

pytestmark = pytest.mark.apache_broker("it needs Java and Maven")


@pytest.fixture(scope="module")
def jars() -> Path:
    """The programs, fetched where this machine has not got them."""
    return kafka_jars(load_settings().kafka_jars)


@pytest.fixture(scope="module")
def node(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with ApacheKafka(tmp_path_factory.mktemp("apache"), jars=jars) as started:
        yield started


def put(node: ApacheKafka, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": node.address, "message.timeout.ms": 30_000})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def first(node: ApacheKafka, topic: str) -> bytes | None:
    consumer = Consumer(
        {"bootstrap.servers": node.address, "group.id": "g", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    try:
        message = consumer.poll(60)
        return None if message is None or message.error() else message.value()
    finally:
        consumer.close()


def test_records_survive_a_kill(node: ApacheKafka) -> None:
    admin = AdminClient({"bootstrap.servers": node.address})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(30)
    put(node, "kept", b"a record")
    pid, address = node.pid, node.address
    node.kill()
    node.start()
    assert node.pid != pid
    assert node.address == address
    assert first(node, "kept") == b"a record"


def test_it_listens_on_loopback_only(node: ApacheKafka) -> None:
    listening = [c for c in psutil.Process(node.pid).net_connections() if c.status == "LISTEN"]
    assert {c.laddr.ip.removeprefix("::ffff:") for c in listening} == {"127.0.0.1"}


def test_the_data_lie_in_the_run_folder(node: ApacheKafka) -> None:
    assert (node.data / "meta.properties").exists()
    assert node.data.parent == node.log.parent


def test_a_taken_port_is_named(jars: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedUnavailable, match=f"kafka: port {port} is taken"):
            ApacheKafka(tmp_path, port, jars=jars).start()


@pytest.mark.parametrize("program", ["java", "mvn"])
def test_a_missing_program_is_named_with_the_remedy(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else f"/bin/{name}")
    with pytest.raises(SetupError, match=rf"(?s)'{program}'.*apt-get install openjdk-17"):
        ApacheKafka(tmp_path, jars=tmp_path / "not-there").start()


def test_another_jar_is_refused(jars: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(jars, tmp_path / "jars"))
    (copy / "kafka-clients-4.1.1.jar").write_bytes(b"something else")
    (copy / "more.jar").write_bytes(b"")
    with pytest.raises(SetupError, match=r"differs: kafka-clients-4.1.1.jar, more.jar\): remove"):
        kafka_jars(copy)


def test_what_maven_cannot_fetch_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho no route to anywhere\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"(?s)could not fetch.*no route to anywhere"):
        kafka_jars(tmp_path / "cache" / "jars")
    assert list((tmp_path / "cache").iterdir()) == [], "nothing half done is left"
