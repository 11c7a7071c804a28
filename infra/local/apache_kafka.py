"""Apache Kafka as one KRaft node on this machine, for what the embedded broker cannot show.

It keeps its records on disk: they survive ``kill`` and ``start``, as long as the run folder lasts.
"""

import subprocess
from pathlib import Path

from infra.local.kafka_jars import java, kafka_jars
from infra.local.local_server import EmbeddedUnavailable, LocalBroker
from infra.local.processes import free_port

_HEAP = "-Xmx768m"
# Any; a node refuses a folder that was formatted for another cluster.
_CLUSTER = "cGVyZW5uaWFsLWxvY2FsLQ"


class ApacheKafka(LocalBroker):
    """A broker and its controller in one process, on two loopback ports."""

    start_s = 180.0
    grace_s = 10.0
    keeps = True

    def __init__(
        self,
        run_dir: Path,
        port: int | None = None,
        *,
        jars: Path | None = None,
        auto_create: bool = False,
    ) -> None:
        """Prepare a node that logs and stores in ``run_dir``, on ``port`` or any free one.

        Args:
            run_dir: where its log and its data are; a second node needs another one.
            port: where clients connect to.
            jars: the folder of its programs, see ``kafka_jars``.
            auto_create: whether it makes a topic that a client asks for.
        """
        super().__init__(run_dir, port)
        self._jars = jars
        self._auto_create = auto_create
        self._controller_port = free_port()

    @property
    def data(self) -> Path:
        """Where its records are."""
        return self._run_dir / "kafka-data"

    def _argv(self) -> list[str]:
        run = [java(), "-cp", f"{kafka_jars(self._jars)}/*", *_OPTIONS]
        properties = self._run_dir / "kafka.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self._config().items()))
        if not (self.data / "meta.properties").exists():
            form = [*run, "kafka.tools.StorageTool", "format", "-t", _CLUSTER]
            _format([*form, *self._users(), "-c"], properties)
        return [*run, "kafka.Kafka", str(properties)]

    def _users(self) -> list[str]:
        """Return the options that give a node its first users; it has none."""
        return []

    def _config(self) -> dict[str, str]:
        controller = f"127.0.0.1:{self._controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.data),
            "auto.create.topics.enable": str(self._auto_create).lower(),
            **_SMALL,
        }


# Nothing to elect or to wait for with one node, and no more threads and memory than a test needs.
_SMALL = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # After a kill, a node is let in again when its last session has run out.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "4000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": str(16 * 2**20),
    "log.index.size.max.bytes": str(2**20),
}
_OPTIONS = (
    _HEAP,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # starts sooner, and is quick enough
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.apache.logging.log4j.level=WARN",
)


def _format(command: list[str], properties: Path) -> None:
    run = subprocess.run([*command, str(properties)], capture_output=True, text=True)
    if run.returncode != 0:
        output = "\n".join((run.stdout + run.stderr).splitlines()[-12:])
        raise EmbeddedUnavailable(
            f"Apache Kafka could not be prepared (it needs Java 17 or newer); it said:\n{output}"
        )
