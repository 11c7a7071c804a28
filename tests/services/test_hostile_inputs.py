"""The worst that anybody may publish costs running services little, and the stream goes on."""

from contextlib import aclosing
from pathlib import Path

from benchmarks.hostile.inputs import EVENT_INPUTS, FRAME_INPUTS
from benchmarks.hostile.trial import rows
from infra.local.stack import stack
from schemas.settings import Settings

MAX_CPU_S = 2.0
MAX_MIB = 300.0


async def test_no_hostile_input_costs_much(settings: Settings, tmp_path: Path) -> None:
    inputs = (*FRAME_INPUTS, *EVENT_INPUTS)
    costly, reasons = {}, {}
    # How many regions a small image may have depends on the model: the one that comes with it.
    with stack(settings.model_copy(update={"model": None}), run_dir=tmp_path) as running:
        async with aclosing(rows(running, inputs)) as measured:
            async for row in measured:  # each ends when a good record behind it is done
                name = f"{row.input.topic.name}: {row.input.name}"
                reasons[name] = row.reason
                if row.cost.cpu_s >= MAX_CPU_S or row.cost.peak_mib >= MAX_MIB:
                    costly[name] = row.cost
    assert reasons == {f"{i.topic.name}: {i.name}": i.reason for i in inputs}
    assert not costly
