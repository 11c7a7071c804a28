"""Rolling a conditioning out and taking it back, and what-if, on the running streams."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.reader import newest
from client.recent import recent_probes
from schemas.conditioning import Activation
from schemas.embedding import Embedding
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.recognition_event import Identification, ReviewDecision, ReviewItem
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import (
    CONDITIONING,
    EMBEDDINGS,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
)
from streams.app import run as run_streams
from tests.conditionings import DAY, NIGHT, conditioning, saved
from tests.gallery_entries import enrol
from tests.services.commands import Run
from tests.services.kafka import (
    collecting,
    embedding,
    embedding_records,
    eventually,
    indexed,
    put,
    running,
)

SIZE, IDENTITIES = 16, 24
RNG = np.random.default_rng(5)
WHO = RNG.normal(size=(IDENTITIES, SIZE))


def looks(number: int, spread: float = 0.05) -> np.ndarray:
    """Return a vector of an identity."""
    return np.asarray(WHO[number] + spread * RNG.normal(size=SIZE))


def light(number: int) -> dict[str, Any]:
    return dict(NIGHT if number % 2 else DAY)


def probes(prefix: str, numbers: range = range(IDENTITIES)) -> list[Embedding]:
    return [embedding(f"{prefix}-{i}", looks(i), background=light(i)) for i in numbers]


@pytest.fixture
async def streams(settings: Settings, metrics: Metrics, health: Health) -> AsyncIterator[Settings]:
    """Run the streams with every identity enrolled once by day and once by night."""
    commands = [
        enrol(f"id{i}-{name}", f"id{i}", looks(i), background=background)
        for i in range(IDENTITIES)
        for name, background in (("day", DAY), ("night", NIGHT))
    ]
    async with running(lambda stop: run_streams(Runtime(settings, metrics, health), stop)):
        topic = settings.topic(GALLERY_COMMANDS)
        await put(settings, [command.record(topic) for command in commands])
        await indexed(settings, len(commands))
        yield settings


Found = list[Record]


async def answered(settings: Settings, found: Found, sent: list[Embedding]) -> list[Identification]:
    """Publish embeddings; return what they were identified as."""
    wanted = {probe.event_id for probe in sent}

    def events() -> list[Identification]:
        read = (Identification.read(record) for record in found)
        return [event for event in read if event.event_id in wanted]

    await put(settings, embedding_records(settings, sent))
    await eventually(lambda: len(events()) == len(wanted), "every probe identified")
    return events()


async def test_it_is_rolled_out_and_taken_back(streams: Settings, run: Run, tmp_path: Path) -> None:
    artefact = saved(tmp_path / "light", conditioning(SIZE))
    command = ("activate", tmp_path / "light")
    async with collecting(streams, IDENTIFICATIONS) as found:
        before = await answered(streams, found, probes("before"))
        assert {event.conditioning for event in before} == {None}

        dry = await asyncio.to_thread(run, *command, "--dry-run", "--json")
        assert dry.exit_code == 0, dry.output
        said = json.loads(dry.stdout)
        assert (said["changed"], said["before"]) == (False, None)
        assert said["agreement"]["probes"] == IDENTITIES
        clusters = {one["cluster"]: one["description"] for one in said["agreement"]["clusters"]}
        assert clusters == {"c0": "day: 70 images", "c1": "night: 50 images"}

        asked = await asyncio.to_thread(run, *command)  # no answer: nobody is there to ask
        assert asked.exit_code == 1
        assert f"Change from plain to light {artefact.version}?" in asked.stdout

        done = await asyncio.to_thread(run, *command, "--yes")
        assert done.exit_code == 0, done.output
        assert f"active: light {artefact.version}, before: plain" in done.stdout
        assert "24 probes, plain → light" in done.stdout
        after = await answered(streams, found, probes("after"))
        assert {event.conditioning for event in after} == {artefact.version}
        again = await asyncio.to_thread(run, *command)
        assert again.stdout == f"light {artefact.version} is active already\n"

        back = await asyncio.to_thread(run, "activate", "--back")
        assert back.exit_code == 0, back.output
        plain = await answered(streams, found, probes("plain"))
        assert {event.conditioning for event in plain} == {None}
        assert {(e.event_id.split("-")[1], e.identity[2:]) for e in before + after + plain} == {
            (str(i), str(i)) for i in range(IDENTITIES)
        }

        forth = await asyncio.to_thread(run, "activate", "--back", "--json")
        assert json.loads(forth.stdout)["after"]["version"] == artefact.version
        off = await asyncio.to_thread(run, "activate", "--plain", "--actor", "ann")
        assert f"active: plain, before: light {artefact.version}" in off.stdout
    async with collecting(streams, CONDITIONING) as records:
        await eventually(lambda: len(records) == 4, "four records")
    events = [Activation.read(record) for record in records]
    here = events[0].artefact
    assert here is not None
    assert here.uri == (tmp_path / "light").as_uri()
    assert [event.artefact for event in events] == [here, None, here, None]
    assert [event.artefact_before for event in events] == [None, here, None, here]
    assert (events[-1].name, events[-1].actor) == ("light", "ann")


async def test_one_that_cannot_be_active_is_refused_or_given_up(
    streams: Settings, run: Run, tmp_path: Path
) -> None:
    saved(tmp_path / "other", conditioning(SIZE), model="other@1")
    saved(tmp_path / "small", conditioning(SIZE // 2))
    saved(tmp_path / "light", conditioning(SIZE))
    other = await asyncio.to_thread(run, "activate", tmp_path / "other", "--yes")
    assert other.exit_code == 2
    assert "is for model other@1, but the gallery and recent embeddings have test@" in other.stderr
    small = await asyncio.to_thread(run, "activate", tmp_path / "small", "--yes")
    assert small.exit_code == 2
    assert f"vectors of {SIZE // 2} numbers" in small.stderr
    await put(streams, [Record(streams.topic(CONDITIONING), b"x", b"not JSON")])
    none = await asyncio.to_thread(run, "activate", "--back")
    assert none.exit_code == 2
    assert "nothing was ever activated" in none.stderr
    late = await asyncio.to_thread(run, "activate", tmp_path / "light", "--yes", "--timeout", "0")
    assert late.exit_code == 3
    assert "asked for, but not active after 0 s" in late.stderr


async def test_what_if_draws_a_monotone_curve(streams: Settings, run: Run, tmp_path: Path) -> None:
    saved(tmp_path / "light", conditioning(SIZE))
    strangers = [
        embedding(f"stranger-{i}", RNG.normal(size=SIZE), background=light(i)) for i in range(8)
    ]
    near = [
        embedding(f"far-{i}", looks(i, 0.06 * i), background=light(i)) for i in range(IDENTITIES)
    ]
    async with collecting(streams, HUMAN_REVIEW, IDENTIFICATIONS) as found:
        await put(streams, embedding_records(streams, [*near, *strangers]))
        await eventually(lambda: len(found) == len(near) + len(strangers), "all answered")
    review = [r for r in found if r.topic == streams.topic(HUMAN_REVIEW)]
    items = [ReviewItem.read(record) for record in review]
    named = [ReviewDecision(item=i, identity=_who(i.event_id), actor="ann") for i in items]
    before = await asyncio.to_thread(run, "whatif", "--json")
    first = json.loads(before.stdout)
    assert (first["strangers"]["source"], first["unlike"]) == ("assumed", None)
    (present,) = [point for point in first["points"] if point["asked"]]
    assert present["review"] == len(review) / len(found), "as the running matcher answered"
    topic = streams.topic(REVIEW_DECISIONS)
    await put(streams, [decision.record(topic) for decision in named])
    await indexed(streams, 2 * IDENTITIES + len(named))

    for extra in ((), ("--conditioning", tmp_path / "light")):
        result = await asyncio.to_thread(run, "whatif", "--json", "--out", tmp_path / "out", *extra)
        assert result.exit_code == 0, result.output
        curve = json.loads(result.stdout)
        assert curve == json.loads((tmp_path / "out" / "whatif.json").read_text())
        assert (tmp_path / "out" / "whatif.png").read_bytes().startswith(b"\x89PNG")
        review_shares = [point["review"] for point in curve["points"]]
        assert review_shares == sorted(review_shares, reverse=True)
        assert review_shares[0] > review_shares[-1]
        false_matches = [point["false_matches"][0] for point in curve["points"]]
        assert false_matches == sorted(false_matches)
        assert [p["fpir"] for p in curve["points"] if p["asked"]] == [0.05 if extra else 0.01]
        assert curve["strangers"]["source"] == "answered"
        assert curve["strangers"]["share"] == pytest.approx(8 / 32)
        assert all(sum(p["verified"].values()) == len(named) for p in curve["points"])
    shown = await asyncio.to_thread(run, "whatif", "--fpir", "0.2", "--strangers", "0.5")
    assert "→" in shown.stdout
    assert "Strangers: 50 %" in shown.stdout


async def test_without_probes_or_gallery_it_says_what_to_do(
    settings: Settings, metrics: Metrics, health: Health, run: Run
) -> None:
    unwritten = await asyncio.to_thread(run, "whatif")
    assert unwritten.exit_code == 3
    assert "is `perennial streams` up?" in unwritten.stderr
    async with running(lambda stop: run_streams(Runtime(settings, metrics, health), stop)):
        await indexed(settings, 0)
        await _until(lambda: run("whatif"), "there are no embeddings to replay")
        await put(settings, embedding_records(settings, probes("x", range(2))))
        empty = await asyncio.to_thread(run, "whatif")
        assert empty.exit_code == 2
        assert "the gallery is empty" in empty.stderr


async def test_the_newest_records_are_those_at_the_end_of_each_partition(
    settings: Settings,
) -> None:
    assert await newest(settings, EMBEDDINGS, 4) == []
    for number in range(12):  # one batch each: so they are told apart
        sent = embedding(f"{number:02}", [1, 0], source=f"cam-{number % 3}")
        await put(settings, embedding_records(settings, [sent]))
    every = await newest(settings, EMBEDDINGS, 100)
    assert [record.header("ce_id") for record in every] == [f"{n:02}" for n in range(12)]
    some = await newest(settings, EMBEDDINGS, 2)
    places = {record.partition for record in every}
    assert some == sorted(
        (r for place in places for r in [e for e in every if e.partition == place][-2:]),
        key=lambda record: record.timestamp_ms,
    )
    probes_read = await recent_probes(settings, 5)
    assert [p.event_id for p in probes_read.embeddings] == [f"{n:02}" for n in range(7, 12)]


async def test_many_records_in_one_batch_are_read_to_the_end(settings: Settings) -> None:
    sent = [embedding(f"{number:03}", [1, 0]) for number in range(300)]
    await put(settings, embedding_records(settings, sent))
    read = await recent_probes(settings, 10)
    assert [probe.event_id for probe in read.embeddings] == [f"{n:03}" for n in range(290, 300)]


async def _until(command: Callable[[], Any], words: str) -> None:
    async with asyncio.timeout(60):
        while words not in (await asyncio.to_thread(command)).stderr:
            await asyncio.sleep(0.1)


def _who(event_id: str) -> str:
    kind, number = event_id.split("-")
    return f"id{number}" if kind == "far" else f"new{number}"
