"""``python -m benchmarks.idle``: the processor time that everything takes while nothing comes."""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.command import command
from benchmarks.spent import PARTS, since, spent_s
from client.publish import publish_and_wait
from infra.console import err, out, print_json
from infra.demo.run import rendered
from infra.local.stack import Stack, stack
from lab.shown.tables import table
from schemas.choices import BrokerKind
from schemas.settings import load_settings

GOALS = {BrokerKind.EMBEDDED: 0.15, BrokerKind.APACHE: 0.05}
"""Share of a core, of what :data:`COUNTED` names."""

COUNTED = {
    BrokerKind.EMBEDDED: ("broker", "worker", "streams"),
    BrokerKind.APACHE: ("worker", "streams"),
}
_SETTLE_S = 10.0


def main(
    broker: Annotated[
        list[BrokerKind] | None, typer.Option(help="Which broker, else both; may be repeated.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long the rest is measured.")] = 30.0,
    frames: Annotated[int, typer.Option(min=0, help="Frames that come before the rest.")] = 40,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Start everything, publish a few frames, and measure the processor time of the rest after.

    Counted are the processor seconds of each process, of which other work on the machine changes
    little.

    Example:  python -m benchmarks.idle --broker apache --seconds 60
    """
    kinds = tuple(BrokerKind) if broker is None else tuple(broker)
    measured = {kind: _at_rest(kind, seconds, frames) for kind in kinds}
    if as_json:
        print_json({kind.value: shares for kind, shares in measured.items()})
        return
    shown = table("broker", *PARTS, "counted together", "goal")
    for kind, shares in measured.items():
        together = sum(shares[name] for name in COUNTED[kind])
        cells = [_percent(shares[name]) for name in PARTS]
        counted = f"{_percent(together)} ({' + '.join(COUNTED[kind])})"
        shown.add_row(kind.value, *cells, counted, f"≤ {_percent(GOALS[kind])}")
    out.print(shown)
    out.print(f"Share of one core over {seconds:g} s.")


def _at_rest(kind: BrokerKind, seconds: float, frames: int) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        settings = load_settings(worker_port=0, streams_port=0)
        with stack(settings, run_dir=Path(folder), say=err.print, broker=kind) as running:
            if frames:
                asyncio.run(publish_and_wait(running.settings, rendered(frames, 4, 7), rate=20))
            time.sleep(_SETTLE_S)
            return _shares(running, seconds)


def _shares(running: Stack, seconds: float) -> dict[str, float]:
    """Return by part the share of a core that it takes."""
    began, before = time.monotonic(), spent_s(running)
    time.sleep(seconds)
    took_s = time.monotonic() - began
    return {name: took / took_s for name, took in since(before, running).items()}


def _percent(share: float) -> str:
    return f"{share:.1%}"


if __name__ == "__main__":
    command(main)
