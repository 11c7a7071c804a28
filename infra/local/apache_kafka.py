"""Apache Kafka as one KRaft node on this machine, for what the embedded broker cannot show.

It keeps its records on disk: they survive ``kill`` and ``start``, as long as the run folder lasts.
"""

import hashlib
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local.local_server import EmbeddedUnavailable, LocalBroker
from infra.local.processes import free_port
from schemas.errors import SetupError

_HEAP = "-Xmx768m"
# Any; a node refuses a folder that was formatted for another cluster.
_CLUSTER = "cGVyZW5uaWFsLWxvY2FsLQ"
VERSION = "4.1.1"
_FETCH_S = 600
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_INSTALL = "on Debian: `apt-get install openjdk-17-jre-headless maven`"


def kafka_jars(folder: Path | None = None) -> Path:
    """Return the folder of the jars; fetch them where it does not exist.

    Args:
        folder: where they are or shall be; without it, ``~/.cache/perennial/kafka-VERSION``.

    Raises:
        SetupError: Maven is missing or cannot fetch them, or a file is not the one that we know.
    """
    if folder is None:
        folder = Path.home() / ".cache" / "perennial" / f"kafka-{VERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside it, then renamed: another process sees all of them or none.
        with TemporaryDirectory(prefix="kafka-", dir=folder.parent) as beside:
            fetched = Path(beside) / "jars"
            _fetch(fetched)
            _check(fetched)
            if not folder.exists():
                fetched.rename(folder)
    _check(folder)
    return folder


def java() -> str:
    """Return the path of the Java program."""
    return _program("java")


def _fetch(into: Path) -> None:
    maven = _program("mvn")
    with as_file(files("infra.local") / "assets" / f"kafka-{VERSION}.pom.xml") as pom:
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={into}"]
        run = _run([maven, "-B", "-q", "-f", str(pom), _PLUGIN, *options])
    if run.returncode != 0:
        raise SetupError(
            f"Maven could not fetch Apache Kafka {VERSION} (exit {run.returncode}): is Maven "
            f"Central, or a mirror named in ~/.m2/settings.xml, within reach? It said:\n"
            f"{_end_of(run.stdout)}"
        )


def _run(argv: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_FETCH_S
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"Maven did not end within {_FETCH_S} s: {' '.join(argv)}") from error


def _check(folder: Path) -> None:
    listed = (files("infra.local") / "assets" / f"kafka-{VERSION}.sha256").read_text().split()
    wanted = dict(zip(listed[1::2], listed[::2], strict=True))
    hashes = {jar.name: _sha256(jar) for jar in folder.glob("*.jar")}
    if hashes != wanted:
        other = sorted({name for name, _ in wanted.items() ^ hashes.items()})
        raise SetupError(
            f"{folder} does not hold Apache Kafka {VERSION} as we know it (differs: "
            f"{', '.join(other[:5])}): remove that folder, and it is fetched anew"
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _program(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise SetupError(
            f"no program {name!r} on the PATH, and Apache Kafka needs Java 17 and Maven ({_INSTALL}"
            "); or run the embedded broker"
        )
    return program


def _end_of(text: str) -> str:
    return "\n".join(text.splitlines()[-12:])


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
