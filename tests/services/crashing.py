"""The streams with a part that ends: ``python -m tests.services.crashing PART``."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from infra.serve import serve
from schemas.errors import PerennialError
from schemas.records import Record
from schemas.settings import load_settings
from streams.app import run
from streams.kafka.stage import Stage


async def _cancelled(_: Stage, __: Sequence[Record]) -> None:
    raise asyncio.CancelledError


async def _raising(_: Stage, __: Sequence[Record]) -> None:
    raise MemoryError


async def _broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("no memory, say")


async def _ending(thread: AIOKafkaConsumerThread, *_: Any, **__: Any) -> None:
    thread.thread_loop.call_soon_threadsafe(thread.thread_loop.stop)
    await asyncio.Event().wait()


PARTS = {
    "a cancelled agent": (Stage, "process", _cancelled),
    "an agent that raises": (Stage, "process", _raising),
    "a consumer that cannot read": (AIOKafkaConsumerThread, "getmany", _broken),
    "a consumer thread that ends": (AIOKafkaConsumerThread, "getmany", _ending),
}


def main(part: str) -> None:
    """Run the streams with that part as it is told above."""
    settings = load_settings()
    setattr(*PARTS[part])
    try:
        serve("streams", 0, settings, run)
    except PerennialError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
