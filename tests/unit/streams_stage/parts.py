"""A broker, a handler and batches for tests of the stage: they fail as they are told to."""

from collections.abc import Sequence

from schemas.errors import DependencyDown
from schemas.metrics import Metrics
from schemas.records import Record

REDIS_DOWN = DependencyDown("redis", "connection refused")


class Broker:
    """Takes records, after it has failed as often as it was told to."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.failures: list[Exception] = []

    async def __call__(self, records: Sequence[Record]) -> list[int]:
        if self.failures:
            raise self.failures.pop(0)
        self.records.extend(records)
        return [0] * len(records)

    def names(self, topic: str) -> list[str]:
        return [str(record.header("ce_id")) for record in self.records if record.topic == topic]


class Work:
    """A handler that fails as it was told to, batch by batch and for certain records."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.bad: dict[str, Exception] = {}
        self.calls: list[list[str]] = []

    async def __call__(self, records: Sequence[Record]) -> list[Record]:
        names = [str(record.header("ce_id")) for record in records]
        self.calls.append(names)
        if self.failures:
            raise self.failures.pop(0)
        for name in names:
            if name in self.bad:
                raise self.bad[name]
        return [Record("out", record.key, record.value, record.headers) for record in records]


def batch(*names: str) -> list[Record]:
    return [
        Record("in", b"k", name.encode(), (("ce_id", name.encode()),), 0, offset)
        for offset, name in enumerate(names)
    ]


def count(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"perennial_{name}", labels)
