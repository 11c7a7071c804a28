"""The ``conditioning`` topic on a real broker: the last record decides, and bad ones do not."""

from pathlib import Path

import pytest

from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import CONDITIONING, DEAD_LETTERS
from streams.app import run
from streams.kafka.conditioning_topic import last_on_topic
from tests.conditionings import activation, saved
from tests.services.kafka import collecting, eventually, put, running


@pytest.fixture
def bad(settings: Settings) -> Record:
    return Record(settings.topic(CONDITIONING), b"light", b'{"name": "light"}')


async def test_the_last_record_that_can_be_read_decides(
    settings: Settings, tmp_path: Path, bad: Record
) -> None:
    topic = settings.topic(CONDITIONING)
    assert await last_on_topic(settings) is None
    saved(tmp_path)
    first = activation(tmp_path)
    other = activation(None, first.artefact).model_copy(update={"name": "other"})
    for record, found in ((first, first), (other, other), (first, first)):
        await put(settings, [record.record(topic)])
        assert await last_on_topic(settings) == found
    await put(settings, [bad])
    assert await last_on_topic(settings) == first


async def test_a_bad_record_goes_to_dead_letters_and_the_next_one_is_heard(
    settings: Settings, metrics: Metrics, health: Health, tmp_path: Path, bad: Record
) -> None:
    saved(tmp_path)
    wanted = activation(tmp_path)
    async with (
        running(lambda stop: run(Runtime(settings, metrics, health), stop)),
        collecting(settings, DEAD_LETTERS) as dead,
    ):
        await put(settings, [bad, wanted.record(bad.topic)])
        await eventually(lambda: len(dead) == 1, "the bad one is set aside")
        labels = {"part": "conditioning", "version": str(wanted.version)}
        await eventually(
            lambda: metrics.registry.get_sample_value("perennial_version", labels) == 1,
            "the good one is active",
        )
        await eventually(lambda: health.ready, "all is well")
    assert (dead[0].header("dead_reason"), dead[0].value) == ("bad_event", bad.value)


async def test_one_that_cannot_be_had_is_told_on_the_health_page(
    settings: Settings, metrics: Metrics, health: Health, tmp_path: Path
) -> None:
    saved(tmp_path / "light")
    wanted = activation(tmp_path / "light")
    (tmp_path / "light").rename(tmp_path / "away")
    async with running(lambda stop: run(Runtime(settings, metrics, health), stop)):
        await eventually(lambda: health.ready, "it runs")
        await put(settings, [wanted.record(settings.topic(CONDITIONING))])
        await eventually(
            lambda: "No such file" in health.report().get("conditioning", ""), "it is told"
        )
        assert not health.ready
        (tmp_path / "away").rename(tmp_path / "light")
        await eventually(lambda: health.report()["conditioning"] == "ok", "and tried again")
