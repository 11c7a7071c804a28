"""The embedding service: its model, its parts, and how it starts and ends."""

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import replace

import cv2
import torch

from access.ending import end
from access.patience import Patience
from schemas.background import declaration_of
from schemas.choices import Device
from schemas.runtime import Runtime
from schemas.settings import IN_FLIGHT_GPU, Settings
from workers.images.claim_check import Fetcher
from workers.images.decode import Limits
from workers.model.forward import Embeds
from workers.model.malloc import keep_freed_memory
from workers.model.model import EmbeddingModel, load_model
from workers.service.batching import Lanes
from workers.service.claims import Claims
from workers.service.consumer import FrameConsumer
from workers.service.decoder import Decoder
from workers.service.lag import report_lag
from workers.service.outbox import Outbox
from workers.service.pipeline import Pipeline

_log = logging.getLogger(__name__)

_MAX_LANES = 4
_DRAIN_S = 5.0
"""With leaving the group (2 s) and stopping the producer (2 s), a worker ends within 15 s."""


async def run(runtime: Runtime, stop: asyncio.Event) -> None:
    """Run the service until ``stop``; what is inside is finished first.

    Raises:
        SetupError: for a missing broker address, a wrong model, device or declaration.
    """
    runtime.settings.need_kafka()
    for part in ("model", "kafka"):
        runtime.health.down(part, "not started yet")
    keep_freed_memory()
    cv2.setNumThreads(1)  # frames are decoded side by side already
    model, lanes = await asyncio.to_thread(load, runtime.settings)
    _log.info("model %s, computed by %s", model.version, model.runtime)
    runtime.metrics.version.labels("model", model.version).set(1)
    runtime.metrics.version.labels("runtime", model.runtime).set(1)
    runtime.health.up("model")
    if model.device.type == "cuda" and runtime.settings.in_flight is None:
        many = runtime.settings.model_copy(update={"in_flight": IN_FLIGHT_GPU})
        runtime = replace(runtime, settings=many)
    await serve(model, lanes, runtime, stop)


def load(settings: Settings, *, measure: bool = False) -> tuple[EmbeddingModel, int]:
    """Load the model as a worker runs it, and say how many passes of it run at the same time.

    ``measure`` measures every runtime anew, torch's compiler too, which takes a minute.

    Raises:
        SetupError: as :func:`~workers.model.model.load_model`.
    """
    lanes, threads = share(settings)
    shared = settings.model_copy(update={"threads": threads})
    return load_model(shared, lanes, measure=measure), lanes


def share(settings: Settings) -> tuple[int, int]:
    """Return how many forward passes run at the same time, and the threads of each.

    On a processor, two passes of one thread each beat one pass of two threads (in images per
    second of processor time by a half, batch 8), and far more so beside other work: threads
    that share a pass wait for each other some hundred times in it. Beyond a few passes Python
    itself is what they wait for. A GPU takes one pass after the other.
    """
    threads = torch.get_num_threads() if settings.threads is None else settings.threads
    if settings.device is not Device.CPU and torch.cuda.is_available():
        return 1, threads
    lanes = min(threads, _MAX_LANES)
    return lanes, threads // lanes


async def serve(model: Embeds, lanes: int, runtime: Runtime, stop: asyncio.Event) -> None:
    """Run the service with a model that is loaded."""
    settings = runtime.settings
    declaration = declaration_of(settings)
    patience = Patience(runtime)
    async with AsyncExitStack() as closing:
        fetcher = await closing.enter_async_context(_fetcher(settings))
        limits = Limits.of(settings)
        decoder = Decoder(limits, model.input_size, settings.decode_threads)
        closing.callback(decoder.close)
        outbox = Outbox(runtime, patience)
        closing.push_async_callback(outbox.close)
        async with asyncio.TaskGroup() as tasks:
            passes = Lanes(runtime, model, lanes, lambda: decoder.busy, patience, tasks)
            claims = Claims(runtime, fetcher)
            pipeline = Pipeline(runtime, claims, decoder, passes, outbox, tasks, declaration)
            consumer = FrameConsumer(runtime, patience, pipeline)
            closing.push_async_callback(consumer.close)
            reading = tasks.create_task(_read(outbox, consumer, runtime))
            await stop.wait()
            await end([reading])
            await consumer.finish(_DRAIN_S)
            await pipeline.close()


async def _read(outbox: Outbox, consumer: FrameConsumer, runtime: Runtime) -> None:
    await outbox.connect()
    await consumer.connect()
    settings = runtime.settings
    # One image may keep its partition's offset where it is for as long as it may fail.
    after_s = settings.stalled_after_s + settings.image_uri_deadline_s
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(report_lag(lambda: consumer.client, consumer.offsets, after_s, runtime))
        tasks.create_task(consumer.read())


def _fetcher(settings: Settings) -> Fetcher:
    return Fetcher(
        settings.image_uri_allow,
        settings.max_image_bytes,
        settings.image_uri_timeout_s,
        settings.s3_endpoint,
    )
