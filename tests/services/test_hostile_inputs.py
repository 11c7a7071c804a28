"""The worst that anybody may publish costs running services little, and the stream goes on."""

from collections.abc import Container, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path

from benchmarks.hostile.inputs import EVENT_INPUTS, FRAME_INPUTS, Hostile
from benchmarks.hostile.trial import Row, rows
from infra.local.apache_kafka import ApacheKafka
from infra.local.embedded import Services
from infra.local.stack import stack
from schemas.settings import Settings

MAX_CPU_S = 2.0
MAX_MIB = 300.0
END_APACHE_KAFKA = ("12 million headers",)
"""It reads each header of a record into objects: 24 MB of them are more than its 768 MiB hold."""


def name_of(hostile: Hostile) -> str:
    return f"{hostile.topic.name}: {hostile.name}"


def is_costly(row: Row) -> bool:
    return row.cost.cpu_s >= MAX_CPU_S or row.cost.peak_mib >= MAX_MIB


def each(measured: Mapping[str, Row], left_out: Container[str]) -> Iterator[Hostile]:
    """Yield the inputs; one that was costly comes again.

    What the input before has not given back yet is counted in the first measurement.
    """
    for hostile in (*FRAME_INPUTS, *EVENT_INPUTS):
        if hostile.name in left_out:
            continue
        yield hostile
        if is_costly(measured[name_of(hostile)]):
            yield hostile


async def test_no_hostile_input_costs_much(
    settings: Settings, stack_services: Services, tmp_path: Path
) -> None:
    measured: dict[str, Row] = {}
    left_out = END_APACHE_KAFKA if isinstance(stack_services.broker, ApacheKafka) else ()
    # How many regions a small image may have depends on the model: the one that comes with it.
    with stack(settings.model_copy(update={"model": None}), run_dir=tmp_path) as running:
        async with aclosing(rows(running, each(measured, left_out))) as found:
            async for row in found:  # each ends when a good record behind it is done
                measured[name_of(row.input)] = row
                assert row.reason == row.input.reason, name_of(row.input)
    costly = {name: row.cost for name, row in measured.items() if is_costly(row)}
    assert not costly
