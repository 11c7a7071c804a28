"""Embeddings, decisions and commands that the Kafka client cannot read stop nothing beside them."""

from dataclasses import replace
from typing import Any

from client.reader import newest
from client.reading.second_reader import second_reader
from infra.local.embedded import Services
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import (
    DEAD_LETTERS,
    EMBEDDINGS,
    GALLERY,
    GALLERY_COMMANDS,
    REVIEW_DECISIONS,
)
from streams.app import run
from tests.gallery_entries import MODEL, enrol
from tests.services.kafka import (
    collecting,
    embedding,
    embedding_records,
    eventually,
    running,
)
from tests.services.test_stream_faults import OUTCOMES, PLACES, identified, outcomes, teach
from tests.services.unreadable import send_broken, send_in_transactions, send_records


def streams(settings: Settings, metrics: Metrics, health: Health) -> Any:
    """Return a service that runs all agents."""
    runtime = Runtime(settings, metrics, health, second_reader(settings))
    return running(lambda stop: run(runtime, stop))


def probes(settings: Settings, first: int, count: int) -> list[Record]:
    """Return records of probes of the taught places."""
    return embedding_records(
        settings,
        [
            embedding(f"probe-{n:04}", PLACES[n % 12] + 0.01, model=MODEL)
            for n in range(first, first + count)
        ],
    )


def ids(count: int) -> set[str]:
    return {f"probe-{n:04}" for n in range(count)}


async def test_what_cannot_be_read_is_set_aside_and_the_rest_is_answered(
    settings: Settings, metrics: Metrics, health: Health, stack_services: Services
) -> None:
    embeddings, decisions = settings.topic(EMBEDDINGS), settings.topic(REVIEW_DECISIONS)
    commands = settings.topic(GALLERY_COMMANDS)
    bad_name = (("caf\udce9", b"x"),)

    async def broken(topic: str, partition: int) -> None:
        await send_broken(stack_services, settings, topic, partition, 5)
        places.append((topic, partition))

    places: list[tuple[str, int]] = []
    # All of it before anybody reads: on Apache Kafka a batch is whole until it is broken.
    for topic, partition in ((settings.topic(GALLERY), 0), (commands, 0), (decisions, 1)):
        await broken(topic, partition)
    for topic, key in ((settings.topic(GALLERY), b"entry:foreign"), (decisions, b"k")):
        named = Record(topic, key, b"{}", (("ce_id", key), *bad_name))
        await send_records(settings, topic, 0, [named])
    sent = 0
    for step in range(5):
        for partition in range(4):
            if (step, partition) in {(0, 1), (2, 2), (4, 3)}:
                await broken(embeddings, partition)
            await send_records(settings, embeddings, partition, probes(settings, sent, 10))
            sent += 10
    before, odd, after = probes(settings, sent, 3)
    odd = replace(odd, headers=(*odd.headers, *bad_name))
    await send_records(settings, embeddings, 0, [before, odd, after])
    sent += 3
    async with (
        streams(settings, metrics, health),
        collecting(settings, *OUTCOMES) as found,
    ):
        await eventually(
            lambda: outcomes(settings, found) >= ids(sent), "no probe is lost", within_s=120
        )
        await eventually(lambda: len(dead(settings, found)) == 9, "each is named", within_s=120)
        await teach(settings)  # the gallery goes on
        await send_records(settings, embeddings, 3, probes(settings, sent, 10))
        await eventually(lambda: len(identified(settings, found)) == 10, "what was taught is known")
    letters = dead(settings, found)
    assert sorted(
        (str(r.header("dead_topic")), int(str(r.header("dead_partition"))))
        for r in letters
        if r.header("dead_reason") == "unreadable_batch"
    ) == sorted(places)
    assert {
        (str(r.header("ce_id")), r.value) for r in letters if r.header("dead_first_offset") is None
    } == {("entry:foreign", b"{}"), ("k", b"{}"), (f"probe-{sent - 2:04}", odd.value)}


def dead(settings: Settings, found: list[Record]) -> list[Record]:
    return [record for record in found if record.topic == settings.topic(DEAD_LETTERS)]


def entries(settings: Settings, found: list[Record]) -> set[str]:
    gallery = settings.topic(GALLERY)
    keys = (r.key.decode() for r in found if r.topic == gallery and r.key is not None)
    return {key.removeprefix("entry:") for key in keys}


async def test_commands_of_an_aborted_transaction_change_nothing(
    on_apache: Settings, metrics: Metrics, health: Health
) -> None:
    commands = on_apache.topic(GALLERY_COMMANDS)
    groups = [
        [enrol(f"entry-{n}", f"place-{n}", PLACES[n]).record(commands)] for n in range(len(PLACES))
    ]
    wanted = {f"entry-{n}" for n in range(0, len(PLACES), 2)}
    async with (
        streams(on_apache, metrics, health),
        collecting(on_apache, GALLERY) as found,
    ):
        send_in_transactions(on_apache, groups)
        late = enrol("late", "place-late", PLACES[0]).record(commands)
        await eventually(lambda: wanted <= entries(on_apache, found), "what was committed counts")
        await send_records(on_apache, commands, 0, [late])
        await eventually(lambda: "late" in entries(on_apache, found), "it reads on behind them")
    assert not {f"entry-{n}" for n in range(1, len(PLACES), 2)} & entries(on_apache, found)


async def test_the_newest_records_are_as_many_as_were_asked_for_behind_aborted_ones(
    on_apache: Settings,
) -> None:
    topic = on_apache.topic(EMBEDDINGS)
    sent = [Record(topic, b"one partition", bytes([number])) for number in range(40)]
    send_in_transactions(on_apache, [sent[:10], sent[10:]])
    found = await newest(on_apache, EMBEDDINGS, 5)
    assert [record.value for record in found] == [bytes([n]) for n in range(5, 10)]
