"""The pipeline between a fake consumer and a fake broker: ids, order, back-pressure, settling."""

import asyncio

import pytest

from recognition.quality import LARGE
from schemas.metrics import Metrics
from tests.unit.pipeline_bench import BLACK, IMAGE, bench, until
from workers.images.claim_check import Fetcher


async def test_frames_become_embeddings_in_order(metrics: Metrics) -> None:
    async with bench(metrics) as b:
        for offset in range(50):
            await b.submit(offset, background={"season": "summer"})
        await b.drained()
        assert b.ids == [f"f-{offset}" for offset in range(50)]
        assert sorted(b.settled) == list(range(50))
        first = b.broker.embeddings[0]
        assert first.background == {"season": "summer"}
        assert first.source == "cam"
        assert first.model == b.model.version
        wanted = {"published_at", "fetch", "decode", "wait", "forward", "sent_at"}
        assert set(first.timings_ms) == wanted
        assert max(b.model.batches) <= 4
        value = metrics.registry.get_sample_value
        assert value("perennial_frames_total") == 50
        for stage in ("fetch", "decode", "batch", "forward", "produce"):
            assert value("perennial_stage_seconds_count", {"stage": stage}), stage
        assert value("perennial_batch_size_sum", {"stage": "worker"}) == 50
        assert first.quality is not None
        assert first.quality.size == 48
        for part in ("sharpness", "size", "exposure", "overall"):
            assert value("perennial_quality_count", {"part": part}) == 50, part
        assert value("perennial_quality_sum", {"part": "size"}) == 50 * 48 / LARGE
        assert value("perennial_queue_depth", {"queue": "in_flight"}) == 0


async def test_one_embedding_a_region(metrics: Metrics) -> None:
    boxes = [{"x": x, "y": 0, "width": 20, "height": 20} for x in range(10)]
    async with bench(metrics) as b:
        await b.submit(1, regions=boxes)
        await b.drained()
        assert b.ids == [f"f-1#{n}" for n in range(10)]
        regions = [e.region for e in b.broker.embeddings]
        assert [r.x for r in regions if r is not None] == list(range(10))
        assert b.settled == [1]


async def test_bad_frames_are_dead_and_the_rest_goes_on(metrics: Metrics) -> None:
    outside = [{"x": x, "y": 0, "width": 9, "height": 9} for x in (0, 999)]
    async with bench(metrics) as b:
        await b.submit(0, b"")
        await b.submit(1, background="{")
        await b.submit(2, IMAGE[:300])
        await b.submit(3, regions=outside)
        await b.submit(4, BLACK)
        await b.submit(5)
        uri = b'{"image_uri": "file:///etc/passwd"}'
        await b.submit(6, uri, **{"content-type": "application/json"})
        await b.drained()
        assert b.ids == ["f-5"]
        assert b.dead == {
            "f-0": ("parse", "empty_frame"),
            "f-1": ("parse", "bad_background"),
            "f-2": ("decode", "truncated_image"),
            "f-3": ("decode", "bad_region"),
            "f-4": ("forward", "model_failed"),
            "f-6": ("fetch", "image_uri_refused"),
        }
        assert sorted(b.settled) == list(range(7))
        labels = {"outcome": "dead", "cluster": "", "reason": "truncated_image"}
        assert metrics.registry.get_sample_value("perennial_outcomes_total", labels) == 1


async def test_an_unforeseen_error_of_the_decoder_is_the_frames_own(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr("workers.service.decoder.prepare_measured", fail)
    async with bench(metrics) as b:
        await b.submit(0)
        await b.drained()
        assert b.dead == {"f-0": ("decode", "decode_failed")}


async def test_nothing_is_settled_before_it_is_acknowledged(metrics: Metrics) -> None:
    async with bench(metrics) as b:
        b.broker.open.clear()
        await b.submit(0)
        await b.submit(1, b"text")
        await until(lambda: len(b.broker.records) == 2)
        await asyncio.sleep(0.01)
        assert b.settled == []
        b.broker.open.set()
        await b.drained()
        assert sorted(b.settled) == [0, 1]


async def test_back_pressure(metrics: Metrics) -> None:
    async with bench(metrics, in_flight=5) as b:
        b.broker.open.clear()
        for offset in range(5):
            await b.submit(offset)
        sixth = asyncio.create_task(b.submit(5))
        await until(lambda: len(b.broker.records) == 5)
        assert not sixth.done()
        b.broker.open.set()
        await asyncio.wait_for(sixth, 60)
        await b.drained()
        assert b.ids == [f"f-{offset}" for offset in range(6)]


@pytest.mark.parametrize("in_turn_s", [0.01, 3600])
async def test_a_slow_image_keeps_its_turn_for_a_moment_only(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch, in_turn_s: float
) -> None:
    gate = asyncio.Event()

    async def fetch(_: Fetcher, __: str) -> bytes:
        await gate.wait()
        return IMAGE

    monkeypatch.setattr(Fetcher, "fetch", fetch)
    monkeypatch.setattr("workers.service.claims.IN_TURN_S", in_turn_s)
    before = ["f-2"] if in_turn_s == 3600 else ["f-1", "f-2"]
    async with bench(metrics, image_uri_allow="https://slow/") as b:
        uri = b'{"image_uri": "https://slow/image"}'
        await b.submit(0, uri, **{"content-type": "application/json"})
        await b.submit(1)
        await b.submit(2, partition=1)
        await until(lambda: sorted(b.ids) == before)
        gate.set()
        await until(lambda: len(b.ids) == 3)
        own = [event_id for event_id in b.ids if event_id != "f-2"]
        assert own == (["f-0", "f-1"] if in_turn_s == 3600 else ["f-1", "f-0"])


async def test_a_model_that_is_down_is_waited_for(metrics: Metrics) -> None:
    async with bench(metrics) as b:
        b.model.down = 12
        await b.submit(0)
        await b.drained()
        assert b.ids == ["f-0"]
        assert b.dead == {}


async def test_an_embedding_that_no_broker_takes_is_dead(metrics: Metrics) -> None:
    async with bench(metrics) as b:
        b.broker.largest = 10_000
        await b.submit(0, IMAGE, background={"note": "x" * 16_000})
        await b.submit(1)
        await b.drained()
        assert b.dead == {"f-0": ("produce", "embedding_too_large")}
        assert b.ids == ["f-1"]
        letter = next(r for r in b.broker.records if r.header("dead_reason"))
        assert letter.header("dead_truncated") == str(len(IMAGE))


async def test_a_broker_that_takes_no_dead_letter_at_all_is_down(metrics: Metrics) -> None:
    async with bench(metrics) as b:
        b.broker.largest = 10
        await b.submit(0, b"text")
        retries = {"stage": "produce"}
        value = metrics.registry.get_sample_value
        await until(lambda: (value("perennial_retries_total", retries) or 0) > 2)
        assert b.settled == []
        b.broker.largest = 10**9
        await b.drained()
        assert b.dead == {"f-0": ("decode", "not_an_image")}


async def test_close_drops_what_is_not_done(metrics: Metrics) -> None:
    async with bench(metrics) as b:
        b.broker.open.clear()
        await b.submit(0)
        await until(lambda: len(b.broker.records) == 1)
    assert b.settled == []
