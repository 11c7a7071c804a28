"""The programs of Apache Kafka: fetched once by Maven, checked against hashes that we keep here.

Apache Kafka is not on PyPI. Maven Central has it as jars, and ``pom.xml`` names what is needed.
"""

import hashlib
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.errors import SetupError

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
    """Return the path of the Java program.

    Raises:
        SetupError: there is none.
    """
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
