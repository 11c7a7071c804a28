"""How Faust's thread fetches: errors of reading stay inside it."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError
from faust.types import TP

from schemas.errors import BadInput, DependencyDown
from schemas.records import Record
from schemas.settings import load_settings
from streams.kafka.fetching import FetchingThread, as_fetched

PLACE = TP("embeddings", 1)


class Client:
    """Stands for the consumer of aiokafka."""

    def __init__(self, at: int | Exception = 5) -> None:
        self._closed = False
        self._fetcher = SimpleNamespace(_closed=False)
        self._at = at

    async def position(self, _: TopicPartition) -> int:
        if isinstance(self._at, Exception):
            raise self._at
        return self._at


def thread(outcome: Any, *, flows: bool = True) -> FetchingThread:
    """Return a thread whose reading gives, or raises, the outcome."""

    async def reading(_: Any, places: Any, **__: Any) -> Any:
        assert places == [TopicPartition(*PLACE)]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    made = FetchingThread.__new__(FetchingThread)
    made.consumer = SimpleNamespace(flow_active=flows)  # type: ignore[assignment]
    made.reading = reading  # type: ignore[assignment]
    made.settings = load_settings(kafka_bootstrap_servers="h:1")
    made.read_to = {("embeddings", 1): 1}
    return made


async def test_what_is_read_comes_with_how_far_it_was_read() -> None:
    made = thread({PLACE: ["message"]})
    assert await made._fetch_records(Client(), [PLACE], timeout=1.0) == {PLACE: ["message"]}
    assert made.read_to == {("embeddings", 1): 5}


async def test_what_was_read_is_kept_when_the_partition_is_taken_away() -> None:
    made = thread({PLACE: ["message"]})
    gone = Client(IllegalStateError("not ours"))
    assert await made._fetch_records(gone, [PLACE]) == {PLACE: ["message"]}
    assert made.read_to == {}


@pytest.mark.parametrize("error", [DependencyDown("kafka", "no"), ValueError("what?")])
async def test_an_error_is_no_end(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.kafka.fetching._RETRY_S", 0.001)
    made = thread(error)
    assert await made._fetch_records(Client(), [PLACE]) == {}
    assert made.read_to == {}


async def test_a_consumer_that_is_stopped_says_so() -> None:
    closed = Client()
    closed._closed = True
    with pytest.raises(ConsumerStoppedError):
        await thread({})._fetch_records(closed, [PLACE])
    with pytest.raises(ConsumerStoppedError):
        await thread(ConsumerStoppedError())._fetch_records(Client(), [PLACE])


async def test_nothing_is_read_while_it_must_not_flow() -> None:
    made = thread({PLACE: ["message"]}, flows=False)
    assert await made._fetch_records(Client(), [PLACE]) == {}
    assert made.read_to == {}


def test_what_the_second_reader_gives_looks_as_from_the_first() -> None:
    record = Record("t", b"k", b"v", (("a", b"1"),), 2, 3, 4, BadInput("bad", "worse"))
    fetched = as_fetched(record)
    assert (fetched.topic, fetched.partition, fetched.offset) == ("t", 2, 3)
    assert (fetched.timestamp, fetched.key, fetched.value) == (4, b"k", b"v")
    assert as_fetched(fetched) is fetched


def test_fausts_own_look_at_a_partition_ends_nothing() -> None:
    """It asks aiokafka for a position that may not be known yet, and no error may end the app."""
    made = thread({})
    made._consumer = None  # whoever asked it for anything would raise
    made.verify_event_path(0.0, PLACE)
