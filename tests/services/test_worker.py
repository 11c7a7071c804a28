"""The embedding worker on a real broker: what goes in comes out, whatever is done to it."""

import asyncio
import gc
import os
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from infra.local.embedded import Services
from infra.local.local_server import LocalBroker
from schemas.codec import frame_headers
from schemas.embedding import read_embedding
from schemas.event import bare_id, now
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Headers, Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, EMBEDDINGS, FRAMES
from tests.services.hostile import REASONS, as_large_as_the_topic_takes, etc_passwd, photograph
from tests.services.kafka import collecting, eventually, put, running
from tests.services.processes import process
from workers.service.embedder import run, serve

IMAGES = [photograph(seed) for seed in range(8)]


class Quick:
    """A model without arithmetic: what is tested here is the way to it and from it."""

    version = "quick@000000000000"
    input_size = (32, 32)

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.repeat(np.array([[0.6, 0.8]], np.float32), len(images), axis=0)


def frame(settings: Settings, number: int, image: bytes | None = None, *more: Any) -> Record:
    """Return frame ``f-<number>`` of one of eight cameras."""
    source = f"cam-{number % 8}"
    usual = frame_headers(f"f-{number}", source, now(), {"season": "summer"}, "image/jpeg")
    extra: Headers = tuple(more)
    replaced = {name for name, _ in extra}
    headers = tuple(h for h in usual if h[0] not in replaced) + extra
    value = IMAGES[number % len(IMAGES)] if image is None else image
    return Record(settings.topic(FRAMES), source.encode(), value, headers)


def ids(found: Sequence[Record]) -> list[str]:
    """Return the ids as they were published."""
    return [bare_id(str(record.header("ce_id"))) for record in found]


def all_of(count: int) -> set[str]:
    return {f"f-{number}" for number in range(count)}


def quick(settings: Settings, metrics: Metrics | None = None) -> Any:
    """Return a service that runs a worker with the quick model."""
    own = Metrics(CollectorRegistry()) if metrics is None else metrics
    return running(lambda stop: serve(Quick(), 2, Runtime(settings, own, Health(own)), stop))


def lag(metrics: Metrics, settings: Settings) -> float | None:
    samples = [
        metrics.registry.get_sample_value(
            "perennial_consumer_lag", {"topic": settings.topic(FRAMES), "partition": str(p)}
        )
        for p in range(FRAMES.partitions)
    ]
    return None if None in samples else sum(s for s in samples if s is not None)


async def test_frames_in_embeddings_out(
    settings: Settings, metrics: Metrics, health: Health
) -> None:
    boxes = b'[{"x": 0, "y": 0, "width": 100, "height": 100},' + (
        b'{"x": 50, "y": 50, "width": 200, "height": 150}]'
    )
    frames = [frame(settings, number) for number in range(60)]
    frames.append(frame(settings, 60, None, ("regions", boxes)))
    frames.append(Record(settings.topic(FRAMES), None, IMAGES[0]))
    usual = settings.model_copy(update={"model": None})
    worker = running(lambda stop: run(Runtime(usual, metrics, health), stop))
    async with collecting(settings, EMBEDDINGS) as found, worker:
        await put(settings, frames)
        await eventually(lambda: len(found) >= 63, "each has its embedding")
        await eventually(lambda: lag(metrics, settings) == 0, "the lag is known")
        assert health.ready
        assert health.report() == {"model": "ok", "kafka": "ok"}
    embeddings = [read_embedding(record) for record in found]
    by_id = {bare_id(e.event_id): e for e in embeddings}
    nameless = [i for i in by_id if i.startswith(settings.topic(FRAMES))]
    assert set(by_id) == all_of(60) | {"f-60#0", "f-60#1", *nameless}
    assert len(nameless) == 1, "the position names what has no id"
    assert by_id[nameless[0]].source == "unknown"
    assert {e.vector.shape for e in embeddings} == {(1280,)}
    same = [by_id[f"f-{n}"].vector @ by_id[f"f-{n + 8}"].vector for n in range(8)]
    assert min(same) > 0.999, "the same photograph, the same vector"
    assert by_id["f-0"].vector @ by_id["f-1"].vector < 0.99
    assert by_id["f-60#1"].region is not None
    assert by_id["f-60#1"].region.width == 200
    qualities = {name: told for name, e in by_id.items() if (told := e.quality) is not None}
    assert qualities.keys() == by_id.keys(), "each is measured"
    assert [qualities[name].size for name in ("f-60#0", "f-60#1")] == [100, 150]
    assert all(0 < told.overall <= 1 and told.sharpness > 0 for told in qualities.values())
    assert by_id["f-0"].model.startswith("efficientnet-lite0-imagenet@")
    for record in found:
        assert record.key == str(record.header("ce_source")).encode()
    for camera in range(8):
        own = [i for i in ids(found) if i in all_of(60) and int(i[2:]) % 8 == camera]
        assert own == sorted(own, key=lambda i: int(i[2:])), "a camera's frames stay in order"


async def test_hostile_frames_are_dead_with_their_bytes(
    settings: Settings, tmp_path: Path, metrics: Metrics
) -> None:
    declaration = tmp_path / "variables.yaml"
    declaration.write_text("variables:\n  season: {type: nominal, values: [summer]}\n")
    own = settings.model_copy(update={"variables": declaration})
    expected, frames = {}, []
    for number, (kind, reason) in enumerate(REASONS.items()):
        image, extra = kind(IMAGES[0])
        expected[f"f-{number}"] = reason
        frames.append(frame(own, number, image, *extra))
    good = len(frames)
    frames.append(frame(own, good))
    async with collecting(own, EMBEDDINGS, DEAD_LETTERS) as found, quick(own, metrics):
        await put(own, frames)
        await eventually(lambda: len(found) == len(frames), "each has its outcome")
        await eventually(lambda: lag(metrics, own) == 0, "all are read")
    dead = [r for r in found if r.topic == own.topic(DEAD_LETTERS)]
    assert {str(r.header("ce_id")): r.header("dead_reason") for r in dead} == expected
    assert ids([r for r in found if r not in dead]) == [f"f-{good}"]
    originals = {str(f.header("ce_id")): f for f in frames}
    for letter in dead:
        origin = originals[str(letter.header("ce_id"))]
        assert origin.value is not None
        assert letter.header("background") == origin.header("background")
        assert letter.header("dead_topic") == own.topic(FRAMES)
        assert letter.header("dead_error")
        assert letter.value == origin.value
    assert len(frames) == 1 + len(REASONS)
    assert {etc_passwd, as_large_as_the_topic_takes} <= set(REASONS)


@pytest.mark.embedded_broker("Apache Kafka refuses what is larger than the topic takes")
async def test_a_frame_too_large_for_a_dead_letter_is_cut(settings: Settings) -> None:
    size = 60 * 2**20
    huge = frame(settings, 0, IMAGES[0] + bytes(size - len(IMAGES[0])))
    async with collecting(settings, DEAD_LETTERS) as found, quick(settings):
        await put(settings, [huge])
        await eventually(lambda: len(found) == 1, "it is dead")
    (letter,) = found
    assert huge.value is not None
    assert letter.value == huge.value[: 2**20]
    assert letter.header("dead_truncated") == str(size)
    assert letter.header("dead_reason") == "too_many_bytes"


async def test_a_claim_check_below_an_allowed_folder(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(IMAGES[0])
    own = settings.model_copy(update={"image_uri_allow": (f"file://{tmp_path}/",)})
    uri = b'{"image_uri": "file://%s/photo.jpg"}' % str(tmp_path).encode()
    async with collecting(own, EMBEDDINGS) as found, quick(own):
        await put(own, [frame(own, 0, uri, ("content-type", b"application/json"))])
        await eventually(lambda: ids(found) == ["f-0"], "it was fetched")


async def test_a_worker_killed_in_mid_batch_loses_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    count, log = 400, tmp_path / "worker.log"
    async with collecting(settings, EMBEDDINGS) as found:
        with process(settings, log, "worker") as first:
            await put(settings, [frame(settings, number) for number in range(count)])
            await eventually(lambda: len(found) > 30, "it is at work", within_s=120)
            first.kill()
        killed_at = len(set(ids(found)))
        assert killed_at < count, "it was killed while there was work"
        with process(settings, log, "worker") as second:
            await eventually(lambda: set(ids(found)) == all_of(count), "no loss", within_s=120)
            assert second.stop() == 0
        repeated = sum(n - 1 for n in Counter(ids(found)).values())
        assert repeated <= 2 * settings.most_in_flight + 200, (
            "only what was not committed comes again"
        )


async def test_what_was_settled_is_not_read_again(settings: Settings) -> None:
    async with collecting(settings, EMBEDDINGS) as found:
        async with quick(settings):
            await put(settings, [frame(settings, number) for number in range(100)])
            await eventually(lambda: len(found) == 100, "the first worker has done its work")
        async with quick(settings):
            await put(settings, [frame(settings, 100)])
            await eventually(lambda: len(found) >= 101, "the second worker reads on")
    assert Counter(ids(found)) == Counter(all_of(101))


async def test_two_workers_share_and_take_over(settings: Settings) -> None:
    both = [Metrics(CollectorRegistry()) for _ in range(2)]

    def partitions(metrics: Metrics) -> int:
        read = metrics.registry.get_sample_value("perennial_frames_total")
        return int(read or 0)

    count = 0

    async def publish(more: int) -> None:
        nonlocal count
        await put(settings, [frame(settings, n) for n in range(count, count + more)])
        count += more

    async with collecting(settings, EMBEDDINGS) as found, AsyncExitStack() as second:
        async with quick(settings, both[0]):
            await publish(200)
            await second.enter_async_context(quick(settings, both[1]))

            async def shared() -> None:
                while not partitions(both[1]):
                    await publish(40)
                    await asyncio.sleep(0.2)

            await asyncio.wait_for(shared(), 60)
            await publish(200)
            await eventually(lambda: set(ids(found)) == all_of(count), "nothing is lost")
        await publish(200)
        await eventually(lambda: set(ids(found)) == all_of(count), "one takes over for both")
    assert all(partitions(metrics) for metrics in both)


@pytest.fixture
def own_broker(stack_services: Services, settings: Settings, tmp_path: Path) -> LocalBroker:
    """The embedded broker of the session, where it is ours to stop for a while."""
    if stack_services.broker is None:
        pytest.fail("this test stops the broker's answers: it needs the embedded one")
    return stack_services.broker


async def test_a_broker_that_falls_silent(
    settings: Settings, metrics: Metrics, health: Health, own_broker: LocalBroker
) -> None:
    count = 3000
    frames = [frame(settings, number) for number in range(count)]
    worker = running(lambda stop: serve(Quick(), 2, Runtime(settings, metrics, health), stop))
    async with worker:
        await put(settings, frames[:100])
        await eventually(lambda: lag(metrics, settings) == 0, "it is at work")
        await put(settings, frames[100:])
        os.kill(own_broker.pid, signal.SIGSTOP)
        try:
            await eventually(lambda: not health.ready, "it says so")
            assert "kafka" in [part for part, what in health.report().items() if what != "ok"]
            await asyncio.sleep(8)  # longer than a group's session
        finally:
            os.kill(own_broker.pid, signal.SIGCONT)
        await eventually(lambda: health.ready, "it is ready again")
        async with collecting(settings, EMBEDDINGS) as found:
            await eventually(lambda: set(ids(found)) == all_of(count), "nothing is lost")


async def test_stopping_while_the_broker_is_silent_takes_no_for_ever(
    settings: Settings, own_broker: LocalBroker
) -> None:
    stop, metrics = asyncio.Event(), Metrics(CollectorRegistry())
    runtime = Runtime(settings, metrics, Health(metrics))
    service = asyncio.create_task(serve(Quick(), 2, runtime, stop))
    await put(settings, [frame(settings, number) for number in range(500)])
    await eventually(lambda: lag(metrics, settings) is not None, "it is at work")
    own_broker.pause()
    try:
        stop.set()
        await asyncio.wait_for(service, 25)
    finally:
        own_broker.resume()
    del service
    gc.collect()  # a connection that was left open would be warned of now


async def test_stopping_before_a_broker_is_found(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    stop, metrics = asyncio.Event(), Metrics(CollectorRegistry())
    health = Health(metrics)
    service = asyncio.create_task(serve(Quick(), 2, Runtime(nowhere, metrics, health), stop))
    await eventually(lambda: "kafka" in health.report(), "it looks for the broker")
    stop.set()
    await asyncio.wait_for(service, 10)
