"""What the README and the documents say is true: the code runs, commands and names exist."""

import asyncio
import json
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from client.admin import create_topics
from client.service_pages import readings
from infra.cli import app
from infra.local.processes import free_port
from schemas.errors import BadInput
from schemas.event import bare_id
from schemas.metrics import Metrics
from schemas.recognition_event import Identification
from schemas.records import Record
from schemas.settings import Settings, load_settings
from schemas.topics import DEAD_LETTERS, FRAMES, HUMAN_REVIEW, IDENTIFICATIONS, TOPICS
from tests.services.hostile import photograph
from tests.services.kafka import collecting, eventually
from tests.services.own import own_services
from tests.services.processes import process

ROOT = Path(__file__).parents[2]
PAGES = tuple(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")) + tuple(
    ROOT / "docs" / name
    for name in (
        "architecture.md",
        "concepts.md",
        "glossary.md",
        "measurements.md",
        "operating.md",
        "results.md",
        "tutorial.md",
    )
)
ADDRESS = "127.0.0.1:9092"
FIRST_SCREEN = 24  # lines
TREES = ("oak", "elm", "ash", "fir", "yew", "larch", "beech", "maple")


def blocks(language: str, *pages: Path) -> list[str]:
    """Return the fenced blocks of a language."""
    text = "\n".join(page.read_text() for page in pages)
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def block(word: str) -> str:
    """Return the one Python block of the README with this word in it."""
    (found,) = (code for code in blocks("python", ROOT / "README.md") if word in code)
    return found


def large_photograph(seed: int) -> bytes:
    """Return a JPEG of more than a megabyte, which is where many clients stop by default."""
    small = cv2.imdecode(np.frombuffer(photograph(seed), np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    picture = cv2.resize(small, (2000, 1500), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    picture += np.random.default_rng(seed).normal(0, 12, picture.shape)
    _, encoded = cv2.imencode(".jpg", picture.clip(0, 255).astype(np.uint8))
    assert encoded.size > 1_000_000
    return bytes(encoded.tobytes())


@pytest.fixture
def own_settings(tmp_path: Path) -> Iterator[Settings]:
    """A deployment whose topics have the names that the README uses; worker and streams run."""
    with own_services(tmp_path) as running:
        settings = load_settings(
            kafka_bootstrap_servers=running.kafka,
            redis_url=running.redis,
            topic_prefix="",
            worker_port=free_port(),
            streams_port=free_port(),
            target_fpir=0.3,  # a share that eight entries can show
        )
        create_topics(settings)
        with (
            process(settings, tmp_path / "worker.log", "worker"),
            process(settings, tmp_path / "streams.log", "streams"),
        ):
            yield settings


async def taught(settings: Settings, folder: Path) -> None:
    """Enrol one photograph of each identity, as the README says, and wait until it can be found."""
    lines = ["path,label"]
    for seed, tree in enumerate(TREES):
        (folder / f"{tree}.jpg").write_bytes(large_photograph(seed))
        lines.append(f"{tree}.jpg,{tree}")
    manifest = folder / "herd.csv"
    manifest.write_text("\n".join(lines))
    url = f"http://127.0.0.1:{settings.streams_port}"
    with process(settings, folder / "enrol.log", "enrol", str(manifest)):
        async with asyncio.timeout(120):
            while await asyncio.to_thread(entries, url) < len(TREES):
                await asyncio.sleep(0.1)


def entries(url: str) -> float:
    """Return how many active entries the gallery holds, as its metrics tell."""
    return readings(url).total("perennial_gallery_entries", status="active")


@asynccontextmanager
async def script(
    code: str, settings: Settings, folder: Path
) -> AsyncIterator[asyncio.StreamReader]:
    """Run a block as a program of its own, in ``folder``, on the real broker; yield its output."""
    assert ADDRESS in code
    real = code.replace(ADDRESS, settings.need_kafka())
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", real, cwd=folder, stdout=subprocess.PIPE
    )
    assert program.stdout is not None
    try:
        yield program.stdout
    finally:
        with suppress(ProcessLookupError):
            program.terminate()
        await program.wait()


async def test_a_strangers_client_publishes_and_consumes(
    own_settings: Settings, tmp_path: Path
) -> None:
    await taught(own_settings, tmp_path)
    (tmp_path / "photo.jpg").write_bytes((tmp_path / "oak.jpg").read_bytes())
    async with collecting(own_settings, IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS) as found:
        async with script(block("Producer"), own_settings, tmp_path) as output:
            assert await asyncio.wait_for(output.read(), 60) == b""
        await eventually(lambda: len(strangers(found)) == 1, "the frame arrives as an outcome")
    (record,) = strangers(found)
    assert record.topic == IDENTIFICATIONS.name, record
    event = Identification.read(record)
    assert (event.source, event.background, event.identity) == (
        "cam-3",
        {"season": "winter"},
        "oak",
    )
    async with script(block("Consumer"), own_settings, tmp_path) as output:
        line = await asyncio.wait_for(output.readline(), 60)
    assert line.decode().split() == [event.event_id, "oak", str(event.distance), "matcher"]


def strangers(found: Sequence[Record]) -> list[Record]:
    """Return the outcomes of frames that had no id of their own."""
    return [r for r in found if bare_id(str(r.header("ce_id"))).startswith(f"{FRAMES.name}-")]


def test_the_strangers_client_is_short_and_imports_nothing_of_ours() -> None:
    code = block("Producer")
    assert len(code.splitlines()) <= 8
    for line in blocks("python", ROOT / "README.md"):
        assert not re.search(r"\b(schemas|recognition|workers|streams|infra)\b", line)


def test_the_first_screen_tells_the_two_commands() -> None:
    screen = (ROOT / "README.md").read_text().splitlines()[:FIRST_SCREEN]
    assert [line.split()[:2] for line in screen if line.startswith("make ")] == [
        ["make", "demo"],
        ["make", "test"],
    ]


def test_the_example_is_an_identification() -> None:
    (example,) = blocks("json", ROOT / "README.md")
    event = Identification.model_validate_json(example)
    assert json.loads(example).keys() == event.model_dump().keys(), "each field is shown"
    assert event.identity == event.candidates[0].identity
    assert event.distance == event.candidates[0].distance
    assert event.threshold is not None
    assert event.distance is not None
    assert event.distance <= event.threshold


def commands() -> list[list[str]]:
    """Return the arguments of each ``perennial ...`` in shell blocks and between backticks."""
    text = "\n".join(page.read_text() for page in PAGES)
    lines = [line for code in blocks("sh", *PAGES) for line in code.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M))
    found = []
    for line in lines:
        parts = re.match(r"(?:[A-Z_]+=\S+ )*perennial (.+)", line.strip())
        if parts is not None:
            found.append(shlex.split(parts[1].split("|")[0], comments=True))
    return found


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_each_command_and_option_exists(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--help"])
    assert result.exit_code == 0, result.output


def test_commands_were_found_and_a_wrong_one_would_fail() -> None:
    found = {arguments[0] for arguments in commands()}
    assert found >= {"demo", "up", "publish", "enrol", "review", "watch", "doctor", "streams"}
    for wrong in (["publsh"], ["publish", "photos/", "--colour"], ["review", "reply"]):
        assert CliRunner().invoke(app, [*wrong, "--help"]).exit_code == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        if not target.endswith("demo.png"):  # drawn by the demo
            assert (page.parent / target).is_file(), target


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"^make (\w+)", "\n".join(blocks("sh", *PAGES)), re.MULTILINE)
    named += re.findall(r"`make (\w+)", "\n".join(page.read_text() for page in PAGES))
    assert set(named) <= targets


def section(title: str) -> str:
    """Return a section of the page about operating."""
    text = (ROOT / "docs" / "operating.md").read_text()
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def test_the_table_of_metrics_is_complete() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    exported = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in registry.collect()
    }
    assert set(re.findall(r"^\| `(perennial_\w+)`", section("Metrics"), re.MULTILINE)) == exported


def test_the_table_of_topics_is_the_table_of_topics() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` \| ([^|]+) \| (\d+) \| ([a-z, ]+) \|", section("Topics"), re.MULTILINE
    )
    assert [(name, key.replace("`", ""), *rest) for name, key, *rest in rows] == [
        (t.name, t.key, str(t.partitions), t.cleanup.replace(",", ", ")) for t in TOPICS.values()
    ]


def test_the_table_of_reasons_has_every_reason_in_the_code() -> None:
    rows = re.findall(r"^\| (`.+?) \|", section("Dead letters"), re.MULTILINE)
    told = set(re.findall(r"`(\w+)`", " ".join(rows)))
    houses = ("schemas", "access", "client/reading", "streams", "workers")
    code = "\n".join(file.read_text() for house in houses for file in (ROOT / house).rglob("*.py"))
    raised = set(re.findall(rf'{BadInput.__name__}\(\s*"(\w+)"', code))
    made_up = {
        "bad_id",
        "bad_source",
        "fetch_failed",
        "decode_failed",
        "bad_header_name",
        "unreadable_batch",
    }  # f"bad_{name}" and the like; the last two by the second reader
    assert told == raised | made_up
