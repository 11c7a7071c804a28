"""The worst that anybody may publish costs running services little, and the stream goes on."""

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest

from benchmarks.hostile.inputs import EVENT_INPUTS, FRAME_INPUTS, Hostile
from benchmarks.hostile.trial import Row, rows
from infra.local.stack import stack
from schemas.settings import Settings

MAX_CPU_S = 2.0
MAX_MIB = 300.0


def name_of(hostile: Hostile) -> str:
    return f"{hostile.topic.name}: {hostile.name}"


def is_costly(row: Row) -> bool:
    return row.cost.cpu_s >= MAX_CPU_S or row.cost.peak_mib >= MAX_MIB


def each(measured: Mapping[str, Row]) -> Iterator[Hostile]:
    """Yield the inputs; one that was costly comes again.

    What the input before has not given back yet is counted in the first measurement.
    """
    for hostile in (*FRAME_INPUTS, *EVENT_INPUTS):
        yield hostile
        if is_costly(measured[name_of(hostile)]):
            yield hostile


@pytest.mark.embedded_broker("Apache Kafka unpacks what comes, and needs the memory for it itself")
async def test_no_hostile_input_costs_much(settings: Settings, tmp_path: Path) -> None:
    measured: dict[str, Row] = {}
    # How many regions a small image may have depends on the model: the one that comes with it.
    with stack(settings.model_copy(update={"model": None}), run_dir=tmp_path) as running:
        async with aclosing(rows(running, each(measured))) as found:
            async for row in found:  # each ends when a good record behind it is done
                measured[name_of(row.input)] = row
                assert row.reason == row.input.reason, name_of(row.input)
    costly = {name: row.cost for name, row in measured.items() if is_costly(row)}
    assert not costly
