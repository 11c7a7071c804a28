"""Logs of the gallery that must not be gone on with before somebody has looked: the streams end."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from access.kafka import aiokafka_options
from client.broker import Broker
from schemas.gallery import under_term
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY
from tests.gallery_entries import entry
from tests.services.commands import records
from tests.services.kafka import collecting, eventually, fold_of, put
from tests.services.processes import Process, process


async def ends(settings: Settings, log: Path, *says: str) -> None:
    """Expect the streams to end by themselves, with these words."""
    started = Process(settings, log, "streams", "--only", "gallery")
    status = await asyncio.to_thread(started.ended, 40)
    text = " ".join(log.read_text().split())
    assert status != 0
    for words in says:
        assert words in text


async def test_a_gallery_of_an_earlier_version_is_refused_with_what_to_do(
    settings: Settings, tmp_path: Path
) -> None:
    old = replace(entry("e1", "oak", [1, 0]).record(settings.topic(GALLERY)), key=b"e1")
    await put(settings, [old])
    await ends(settings, tmp_path / "log", "earlier version", "PERENNIAL_TOPIC_PREFIX")


@pytest.mark.apache_broker("the embedded one deletes no records")
async def test_a_log_that_was_cut_off_is_not_taken_for_an_empty_one(
    settings: Settings, tmp_path: Path
) -> None:
    entries = [entry(f"e{i}", "oak", [1, i]) for i in range(5)]
    await put(settings, records(settings, GALLERY, *entries))
    await cut(settings, 3)
    await ends(settings, tmp_path / "one", "begins at offset 3", "--accept-cut-log")
    async with collecting(settings, GALLERY) as found:
        once = process(settings, tmp_path / "two", "streams", "--accept-cut-log")
        with once:
            await eventually(lambda: fold_of(settings, found).claim is not None, "a claim")
        claim = fold_of(settings, found).claim
        assert claim is not None
        assert (claim.begins, set(fold_of(settings, found).entries)) == (3, {"e3", "e4"})
        with process(settings, tmp_path / "three", "streams"):
            await eventually(lambda: fold_of(settings, found).term == claim.term + 1, "another")
    await cut(settings, 4)
    await ends(settings, tmp_path / "four", "begins at offset 4")


@pytest.mark.apache_broker("the embedded one knows no transactions")
async def test_gaps_between_offsets_are_normal(settings: Settings, tmp_path: Path) -> None:
    topic = settings.topic(GALLERY)
    producer = AIOKafkaProducer(**aiokafka_options(settings), transactional_id=f"{topic}-copy")
    await producer.start()
    try:
        for number, commits in enumerate((True, False, True)):
            await producer.begin_transaction()
            made: Record = under_term(entry(f"e{number}", "oak", [1, 0]).record(topic), 1)
            await producer.send_and_wait(topic, made.value, made.key, headers=list(made.headers))
            await (producer.commit_transaction() if commits else producer.abort_transaction())
    finally:
        await producer.stop()
    async with collecting(settings, GALLERY) as found:
        with process(settings, tmp_path / "log", "streams"):
            await eventually(lambda: fold_of(settings, found).term == 2, "a claim")
    assert set(fold_of(settings, found).entries) == {"e0", "e2"}


async def cut(settings: Settings, before: int) -> None:
    """Delete the first records, as a wrong clean-up policy would."""
    topic = settings.topic(GALLERY)
    broker = Broker(settings)
    await asyncio.to_thread(broker.alter, {topic: {"cleanup.policy": "compact,delete"}})
    admin = AIOKafkaAdminClient(**aiokafka_options(settings))
    await admin.start()
    try:
        place = TopicPartition(topic, 0)
        await admin.delete_records({place: RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()
    await asyncio.to_thread(broker.alter, {topic: {"cleanup.policy": "compact"}})
