"""Claim checks that do not come: what they hold up, and when they are given up. Real servers."""

import asyncio
from typing import Any

import pytest

from schemas.metrics import Metrics
from tests.image_store import ImageStore, stores
from tests.unit.pipeline_bench import IMAGE, Bench, bench, until
from workers.service.admission import MAX_CLAIMS

JSON = {"content-type": "application/json"}


def waiting(metrics: Metrics, *used: ImageStore, deadline_s: float = 1.0) -> Any:
    """Return a bench that may fetch from the stores, with short limits of time."""
    allow = ",".join(store.url for store in used)
    limits = {"image_uri_timeout_s": 0.5, "image_uri_deadline_s": deadline_s}
    return bench(metrics, image_uri_allow=allow, **limits)


async def claim(b: Bench, offset: int, store: ImageStore, name: str, **more: Any) -> None:
    await b.submit(offset, store.claim(name), **JSON, **more)


def depth(metrics: Metrics, queue: str) -> float | None:
    return metrics.registry.get_sample_value("perennial_queue_depth", {"queue": queue})


@pytest.mark.parametrize("bad", ["bad/1", "hang/1"])
@pytest.mark.parametrize("others", ["claims", "bytes"])
async def test_the_others_pass_while_one_uri_fails(metrics: Metrics, bad: str, others: str) -> None:
    async with stores(IMAGE, 1) as (store,), waiting(metrics, store, deadline_s=3600) as b:
        await claim(b, 0, store, bad)
        for offset in range(1, 119):
            if others == "claims":
                await claim(b, offset, store, f"ok/{offset}")
            else:
                await b.submit(offset)
        await until(lambda: len(b.settled) == 118)
        assert sorted(b.settled) == list(range(1, 119))


@pytest.mark.parametrize("bad", ["bad/1", "hang/1"])
@pytest.mark.parametrize("before", [0, 3])
async def test_one_uri_that_fails_for_ever_is_dead(metrics: Metrics, bad: str, before: int) -> None:
    """Whether its store gave an image before or never yet: it is asked, and it answers."""
    async with stores(IMAGE, 1) as (store,), waiting(metrics, store, deadline_s=0.5) as b:
        for offset in range(before):
            await claim(b, offset, store, f"ok/{offset}")
        await b.drained()
        await claim(b, before, store, bad)
        await until(lambda: bool(b.dead))
        assert b.dead == {f"f-{before}": ("fetch", "image_uri_failing")}
        await until(lambda: len(b.settled) == before + 1)
        assert b.health.ready, "no store is said to be down"


async def test_frames_whose_images_come_keep_their_order(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.service.claims.IN_TURN_S", 3600)
    async with stores(IMAGE, 1) as (store,), bench(metrics, image_uri_allow=store.url) as b:
        for offset in range(0, 40, 2):
            await claim(b, offset, store, f"ok/{offset}")
            await b.submit(offset + 1)
        await b.drained()
        assert b.ids == [f"f-{offset}" for offset in range(40)]


@pytest.mark.parametrize("fault", ["refusing", "hanging", "failing"])
async def test_a_store_that_is_down_is_waited_for_while_another_is_up(
    metrics: Metrics, fault: str
) -> None:
    async with stores(IMAGE, 2) as (a, b_store), waiting(metrics, a, b_store) as b:
        if fault == "refusing":
            await a.stop()
        else:
            a.state = "hanging" if fault == "hanging" else "failing"
        await claim(b, 0, a, "ok/0")
        for offset in range(1, 30):
            await claim(b, offset, b_store, f"ok/{offset}")
        await until(lambda: len(b.ids) == 29)
        await asyncio.sleep(2)  # twice the deadline
        assert b.dead == {}
        assert a.url[:-1] in str(b.health.report())
        if fault == "refusing":
            await a.start()
        a.state = "well"
        await until(lambda: "f-0" in b.ids)
        await until(lambda: len(b.settled) == 30)
        assert b.health.ready


async def test_a_store_that_goes_down_and_comes_back_loses_nothing(metrics: Metrics) -> None:
    async with stores(IMAGE, 1) as (store,), waiting(metrics, store, deadline_s=0.5) as b:
        await claim(b, 0, store, "ok/0")
        await until(lambda: b.ids == ["f-0"])
        await store.stop()
        for offset in range(1, 60):
            await claim(b, offset, store, f"ok/{offset}")
        await b.submit(60)
        await until(lambda: len(b.settled) == 2)
        await asyncio.sleep(1.5)  # three times the deadline
        assert sorted(b.settled) == [0, 60]
        await store.start()
        await until(lambda: len(b.settled) == 61)
        assert b.dead == {}


async def test_what_waits_holds_no_place_of_others_up_to_a_bound(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.service.admission.MAX_CLAIMS", 20)
    async with stores(IMAGE, 1) as (store,), waiting(metrics, store) as b:
        store.state = "hanging"
        for offset in range(20):
            await claim(b, offset, store, f"ok/{offset}")
        for offset in range(20, 120):
            await b.submit(offset)
        await until(lambda: len(b.settled) == 100)
        await until(lambda: depth(metrics, "in_flight") == 0)
        assert depth(metrics, "aside") == 20
        more = asyncio.create_task(claim(b, 120, store, "ok/120"))
        await asyncio.sleep(0.3)
        assert not more.done(), "reading stops at the bound"
        store.state = "well"
        await asyncio.wait_for(more, 60)
        await until(lambda: len(b.settled) == 121)
        assert b.dead == {}
    assert MAX_CLAIMS >= 1000


async def test_what_waits_can_be_dropped_and_does_not_hold_up_the_end(metrics: Metrics) -> None:
    async with stores(IMAGE, 1) as (store,), waiting(metrics, store) as b:
        store.state = "hanging"
        await claim(b, 0, store, "ok/0")
        await b.submit(1)
        await b.drained()
        assert b.settled == [1]
        b.pipeline.drop_waiting()
        await until(lambda: depth(metrics, "aside") == 0)
        assert b.settled == [1], "what was dropped is not settled"
