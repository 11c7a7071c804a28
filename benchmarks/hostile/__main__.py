"""``python -m benchmarks.hostile``: what the worst that anybody may publish costs a service."""

import asyncio
import os
import platform
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.command import command
from benchmarks.hostile.inputs import INPUTS, Hostile
from benchmarks.hostile.trial import Row, rows
from infra.console import err, out, print_json
from infra.local.stack import Stack, stack
from lab.shown.tables import table
from schemas.settings import load_settings

GOAL_CPU_S, GOAL_MIB = 0.5, 200.0


def main(
    only: Annotated[str, typer.Option(help="Inputs whose name has this in it.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Send one hostile input after the other, each followed by a good record.

    Counted is what worker and streams spend until the good record is done, beyond what they spend
    at rest: processor seconds of both, and the most memory beyond that at rest.

    Example:  python -m benchmarks.hostile --only regions
    """
    inputs = [hostile for hostile in INPUTS if only in hostile.name]
    with TemporaryDirectory() as folder:
        settings = load_settings(worker_port=0, streams_port=0)
        with stack(settings, run_dir=Path(folder), say=err.print) as running:
            measured = asyncio.run(_measured(running, inputs))
    at_rest = measured[0].at_rest_mib if measured else 0
    about = f"at rest {at_rest:.0f} MiB; {platform.machine()}, {os.cpu_count()} cores"
    if as_json:
        print_json({"about": about, "rows": [_as_json(row) for row in measured]})
        return
    shown = table("input", "topic", "MiB", "processor s", "memory MiB", "dead letter")
    for row in measured:
        cost, of = row.cost, row.input
        figures = (f"{row.mib:.2f}", f"{cost.cpu_s:.2f}", f"{cost.peak_mib:.0f}")
        shown.add_row(of.name, of.topic.name, *figures, row.reason or "–")
    out.print(shown)
    out.print(f"Goal: {GOAL_CPU_S} s and {GOAL_MIB:.0f} MiB an input. {about}")


async def _measured(running: Stack, inputs: list[Hostile]) -> list[Row]:
    measured: list[Row] = []
    async with aclosing(rows(running, inputs)) as each:
        async for row in each:
            err.print(f"{row.input.topic.name}: {row.input.name}")
            measured.append(row)
    return measured


def _as_json(row: Row) -> dict[str, object]:
    named = {"input": row.input.name, "topic": row.input.topic.name, "mib": row.mib}
    return {**named, "reason": row.reason, **asdict(row.cost)}


if __name__ == "__main__":
    command(main)
