"""Clients of other makes publish frames to Apache Kafka with every codec, and each arrives."""

import asyncio
import base64
import json
import shlex
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from access.kafka import librdkafka_options
from client.broker import Broker
from infra.local.apache_kafka import java, kafka_jars
from schemas.codec import STRUCTURED
from schemas.embedding import read_embedding
from schemas.records import Record
from schemas.settings import Settings, load_settings
from schemas.topics import EMBEDDINGS, FRAMES
from tests.secured.session import as_stranger
from tests.services.hostile import photograph
from tests.services.kafka import collecting, eventually
from tests.services.test_worker import quick

pytestmark = pytest.mark.apache_broker("Debian's kcat does not speak to the embedded one")

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
ROOT = Path(__file__).parents[2]
Publish = Callable[[Settings, Path, str], None]


def kcat(settings: Settings, photo: Path, codec: str) -> None:
    """Run the line of the README, with this broker, this topic and a codec in place of its own."""
    (line,) = (
        line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("kcat ")
    )
    replaced = {
        "localhost:9092": settings.need_kafka(),
        "frames": settings.topic(FRAMES),
        "photo.jpg": str(photo),
    }
    command = [replaced.get(word, word) for word in shlex.split(line)]
    assert set(replaced.values()) <= set(command)
    login = librdkafka_options(as_stranger(settings))
    if "sasl.mechanism" in login:
        pytest.skip("Debian's kcat is refused with the right password, by SCRAM of either kind")
    del login["bootstrap.servers"]
    options = {**login, "compression.codec": codec}
    command[1:1] = [part for name, value in options.items() for part in ("-X", f"{name}={value}")]
    subprocess.run(command, check=True, timeout=60)


def java_console_producer(settings: Settings, photo: Path, codec: str) -> None:
    """Send one line: headers, key and a structured event that holds the photograph."""
    event = {
        "specversion": "1.0",
        "id": photo.name,
        "source": "cam-3",
        "type": "perennial.frame.v1",
        "datacontenttype": "image/jpeg",
        "background": {"season": "winter"},
        "data_base64": base64.b64encode(photo.read_bytes()).decode(),
    }
    line = f"content-type:{STRUCTURED}\tcam-3\t{json.dumps(event)}\n"
    command = [
        *(java(), "-cp", f"{kafka_jars(load_settings().kafka_jars)}/*"),
        *("-XX:TieredStopAtLevel=1", "org.apache.kafka.tools.ConsoleProducer"),
        *("--bootstrap-server", settings.need_kafka(), "--topic", settings.topic(FRAMES)),
        *("--compression-codec", codec, "--property", "parse.key=true"),
        *("--property", "parse.headers=true"),
        *("--producer.config", str(java_login(settings, photo.parent))),
    ]
    subprocess.run(command, input=line, text=True, check=True, timeout=120)


def java_login(settings: Settings, folder: Path) -> Path:
    """Write the file by which Java's clients log in; it is empty where nobody has to."""
    options = librdkafka_options(as_stranger(settings))
    lines: list[str] = []
    if "sasl.mechanism" in options:
        name, password = (options[f"sasl.{part}"] for part in ("username", "password"))
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
        login = f'{scram} username="{name}" password="{quoted}";'
        lines = [
            *(f"{key}={options[key]}" for key in ("security.protocol", "sasl.mechanism")),
            "sasl.jaas.config=" + login.replace("\\", "\\\\"),
            f"ssl.truststore.type=PEM\nssl.truststore.location={options['ssl.ca.location']}",
        ]
    path = folder / "java.properties"
    path.write_text("\n".join(lines))
    return path


def _has(found: list[Record], count: int) -> bool:
    return len(found) == count


# As topics were made before, and as they are made now: records lie there as they were packed.
@pytest.mark.parametrize(
    ("publish", "stored"),
    [(kcat, "uncompressed"), (kcat, "producer"), (java_console_producer, "producer")],
)
async def test_frames_come_through_with_every_codec(
    settings: Settings, tmp_path: Path, publish: Publish, stored: str
) -> None:
    Broker(settings).alter({settings.topic(FRAMES): {"compression.type": stored}})
    async with collecting(settings, EMBEDDINGS) as found, quick(settings):
        for number, codec in enumerate(CODECS, start=1):
            photo = tmp_path / f"{codec}.jpg"
            photo.write_bytes(photograph(number))
            await asyncio.to_thread(publish, settings, photo, codec)
            await eventually(partial(_has, found, number), f"{codec} comes through")
    for record in found:
        embedding = read_embedding(record)
        assert embedding.source == "cam-3"
        assert embedding.background["season"] == "winter"
