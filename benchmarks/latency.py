"""``python -m benchmarks.latency``: how long a frame takes from publishing to its outcome."""

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.command import command
from client.follow import END_TO_END, Latency
from client.publish import publish_and_wait
from infra.console import err, out, print_json
from infra.demo.run import rendered
from infra.local.stack import stack
from lab.shown.tables import table
from schemas.choices import BrokerKind
from schemas.settings import Settings, load_settings

STAGES = (END_TO_END, "fetch", "decode", "wait", "forward", "hop", "match")
_WARM_UP = 40

Figures = dict[str, Latency]
"""By stage, in milliseconds."""


def main(
    broker: Annotated[
        list[BrokerKind] | None, typer.Option(help="Which broker, else both; may be repeated.")
    ] = None,
    rate: Annotated[
        list[float] | None, typer.Option(help="Frames/s, else 20 and 1; may be repeated.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long frames come.")] = 30.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Publish frames one by one, evenly spaced, and follow each to its outcome.

    The goal at one frame a second is a 95th percentile below 150 ms. Beside other work on the
    machine the figures are higher.

    Example:  python -m benchmarks.latency --broker apache --rate 1 --seconds 60
    """
    kinds = tuple(BrokerKind) if broker is None else tuple(broker)
    rates = (20.0, 1.0) if rate is None else tuple(rate)
    measured = {kind: _measured(kind, rates, seconds) for kind in kinds}
    if as_json:
        print_json(
            {
                kind.value: {f"{rate:g}": _as_json(figures) for rate, figures in of.items()}
                for kind, of in measured.items()
            }
        )
        return
    shown = table("broker", "frames/s", *(f"{stage} p50 / p95" for stage in STAGES))
    for kind, of in measured.items():
        for rate_, figures in of.items():
            cells = (f"{f.p50:.0f} / {f.p95:.0f}" for f in map(figures.get, STAGES) if f)
            shown.add_row(kind.value, f"{rate_:g}", *cells)
    out.print(shown)
    out.print("Milliseconds.")


def _measured(kind: BrokerKind, rates: tuple[float, ...], seconds: float) -> dict[float, Figures]:
    with TemporaryDirectory() as folder:
        settings = load_settings(worker_port=0, streams_port=0)
        with stack(settings, run_dir=Path(folder), say=err.print, broker=kind) as running:
            _figures(running.settings, 20, _WARM_UP, seed=1)
            return {
                rate: _figures(running.settings, rate, round(rate * seconds), seed=2 + number)
                for number, rate in enumerate(rates)
            }


def _figures(settings: Settings, rate: float, count: int, seed: int) -> Figures:
    err.print(f"{count} frames at {rate:g} per second")
    frames = [
        replace(frame, given_id=f"{seed}-{frame.given_id}") for frame in rendered(count, 4, seed)
    ]
    return asyncio.run(publish_and_wait(settings, frames, rate=rate)).latencies


def _as_json(figures: Figures) -> dict[str, dict[str, float]]:
    return {stage: {"p50": took.p50, "p95": took.p95} for stage, took in figures.items()}


if __name__ == "__main__":
    command(main)
