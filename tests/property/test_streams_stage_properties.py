"""Conservation in the small: whatever fails, each record ends as an output or a dead letter."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from unittest import mock

from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from schemas.errors import BadInput, DependencyDown
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import load_settings
from streams.kafka.stage import ATTEMPTS, Stage

NAMES = ["a", "b", "c", "d"]

passing = st.sampled_from([DependencyDown("redis", "down"), KafkaConnectionError("down")])
failures = passing | st.sampled_from(
    [BadInput("bad_event", "no JSON"), ZeroDivisionError("0"), MessageSizeTooLargeError("big")]
)
_sleep = asyncio.sleep


async def _at_once(_: float) -> None:
    await _sleep(0)


@given(
    of_records=st.dictionaries(st.sampled_from(NAMES), failures | st.just(BadInput("bad", "x"))),
    of_batches=st.lists(st.none() | failures, max_size=8),
    of_broker=st.lists(st.none() | passing, max_size=8),
)
def test_no_record_is_lost(
    of_records: dict[str, Exception],
    of_batches: list[Exception | None],
    of_broker: list[Exception | None],
) -> None:
    """Temporary errors of a record pass after a while; all others last."""
    published: list[Record] = []
    tries: Counter[str] = Counter()

    async def publish(records: Sequence[Record]) -> list[int]:
        error = of_broker.pop(0) if of_broker else None
        if error is not None:
            raise error
        published.extend(records)
        return [0] * len(records)

    async def handle(records: Sequence[Record]) -> list[Record]:
        error = of_batches.pop(0) if of_batches else None
        if error is not None:
            raise error
        for record in records:
            name = str(record.header("ce_id"))
            tries[name] += 1
            failure = of_records.get(name)
            lasting = not isinstance(failure, DependencyDown | KafkaConnectionError)
            if failure is not None and (lasting or tries[name] < ATTEMPTS + 2):
                raise failure
        return [Record("out", None, None, record.headers) for record in records]

    metrics = Metrics(CollectorRegistry())
    stage = Stage("s", handle, publish, Runtime(load_settings(), metrics, Health(metrics)))
    batch = [Record("in", None, None, (("ce_id", name.encode()),)) for name in NAMES]
    with mock.patch("asyncio.sleep", _at_once):
        asyncio.run(stage.process(batch))
    ends = Counter(str(record.header("ce_id")) for record in published)
    assert ends == Counter(NAMES), "each has one end"
    for record in published:
        name = str(record.header("ce_id"))
        if isinstance(
            of_records.get(name), BadInput | ZeroDivisionError | MessageSizeTooLargeError
        ):
            assert record.topic == "dead-letters"
