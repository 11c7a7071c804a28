"""``python -m benchmarks.throughput``: frames/s end to end, beside the raw forward pass.

A burst of frames is put on ``frames``; all of broker, worker, Redis, matcher and gallery run on
this machine. Counted is the time from the first to the last outcome, by their timestamps, after
the gallery has learned some frames. The floor, the forward pass alone with the batch that is best
for it, is measured before and after. The processor time of each part shows where the rest goes,
whatever else the machine does.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.burst import copies, steady_rate
from benchmarks.spent import PARTS, since, spent_s
from client.admin import create_topics
from client.follow import Follower, Outcome
from client.names import Outgoing
from client.publish import publish
from client.reviews import answer_by_labels
from infra.demo.run import rendered
from infra.local.embedded import services
from infra.local.stack import Stack, stack
from schemas.choices import BrokerKind
from schemas.settings import Settings, environment, load_settings

LEARNED = 600
GOAL = 0.75

console = Console(stderr=True)


def floor() -> dict[str, Any]:
    """Measure the raw forward pass in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.floor"]
    found: dict[str, Any] = json.loads(subprocess.check_output(command))
    return found


async def collect(follower: Follower, count: int, within: timedelta) -> list[Outcome]:
    """Return the first outcome of each of ``count`` frames."""
    found: dict[str, Outcome] = {}
    async with asyncio.timeout(within.total_seconds()):
        while len(found) < count:
            for outcome in await follower.batch(0.5):
                found.setdefault(outcome.frame, outcome)
    return list(found.values())


async def learn(settings: Settings, frames: list[Outgoing]) -> None:
    """Let the gallery learn frames, the oracle answering."""
    labels = {frame.name: frame.label for frame in frames if frame.label is not None}
    stop = asyncio.Event()
    async with Follower(settings) as follower:
        oracle = asyncio.create_task(answer_by_labels(settings, labels, stop))
        await publish(settings, frames, rate=60)
        await collect(follower, len(frames), timedelta(minutes=3))
        stop.set()
        await oracle


async def burst(running: Stack, frames: list[Outgoing]) -> dict[str, Any]:
    """Publish all at once; return frames/s, what became of them, and what each part spent."""
    settings = running.settings
    async with Follower(settings) as follower:
        began, before = time.process_time(), spent_s(running)
        started = time.time()
        await publish(settings, frames, rate=None)
        published = time.time() - started
        found = await collect(follower, len(frames), timedelta(minutes=10))
        spent = {**since(before, running), "client": time.process_time() - began}
    return {
        "frames": len(found),
        "identified": sum(outcome.kind == "identified" for outcome in found),
        "publish_s": published,
        "frames_per_second": steady_rate(outcome.record.timestamp_ms / 1000 for outcome in found),
        "processor_ms": {name: 1000 * s / len(found) for name, s in spent.items()},
    }


def peer(frames: list[Outgoing], broker: BrokerKind, batch: int) -> dict[str, float]:
    """Let a peer written by hand take the same frames, on a broker and a Redis of its own."""
    with TemporaryDirectory() as folder, services(run_dir=Path(folder), broker=broker) as base:
        addresses = {"kafka_bootstrap_servers": base.kafka, "redis_url": base.redis}
        settings = load_settings(**addresses)
        create_topics(settings)
        asyncio.run(publish(settings, frames, rate=None))
        command = [sys.executable, "-m", "benchmarks.peer", str(len(frames)), str(batch)]
        env = {**os.environ, **environment(settings)}
        output = subprocess.check_output([*command, str(LEARNED)], env=env)
    found: dict[str, float] = json.loads(output)
    return found


def measure(count: int, broker: BrokerKind, *, beside_peer: bool) -> dict[str, Any]:
    """Run the whole benchmark."""
    world = list(rendered(LEARNED + 400, 24, 7))
    frames = copies(world[LEARNED:], count, "burst")
    console.print("floor: the raw forward pass, alone")
    floors = [floor()]
    with TemporaryDirectory() as folder:
        settings = load_settings(worker_port=0, streams_port=0)
        with stack(settings, run_dir=Path(folder), say=console.print, broker=broker) as running:
            console.print(f"learning {LEARNED} frames")
            asyncio.run(learn(running.settings, world[:LEARNED]))
            console.print(f"a burst of {count} frames")
            found = asyncio.run(burst(running, frames))
    if beside_peer:
        console.print("the peer")
        found["peer"] = peer(frames, broker, floors[0]["batch"])
    floors.append(floor())
    for name in ("as_worker", "one_pass"):
        found[name] = sum(f[name] for f in floors) / len(floors)
        found[f"ratio_{name}"] = found["frames_per_second"] / found[name]
    told = ("runtime", "lanes", "threads", "batch", "processor_ms_an_image")
    return {**found, **{name: floors[0][name] for name in told}}


def main(
    frames: Annotated[int, typer.Option(help="Frames in the burst")] = 3000,
    broker: Annotated[BrokerKind, typer.Option(help="Which broker")] = BrokerKind.APACHE,
    *,
    beside_peer: Annotated[bool, typer.Option("--peer", help="A script beside it")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only")] = False,
) -> None:
    """Print frames/s end to end, the floor, their ratio, and processor time by part."""
    found = measure(frames, broker, beside_peer=beside_peer)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    lanes, threads = (int(found[name]) for name in ("lanes", "threads"))
    table = Table("what", "per second", "end to end / this")
    table.add_row(f"end to end, {broker}", f"{found['frames_per_second']:.0f} frames", "")
    for name, how in (
        ("one_pass", f"one pass at a time on {lanes * threads} threads"),
        ("as_worker", f"{lanes} passes at a time on {threads} thread each"),
    ):
        label = f"raw forward, {found['runtime']}, batch {found['batch']}, {how}"
        table.add_row(label, f"{found[name]:.0f} images", f"{found[f'ratio_{name}']:.2f}")
    if beside_peer:
        rate = found["peer"]["frames_per_second"]
        ratio = found["frames_per_second"] / rate
        table.add_row("a peer written by hand", f"{rate:.0f} frames", f"{ratio:.2f}")
    Console().print(table)
    spent = found["processor_ms"]
    Console().print(
        "Processor time a frame, ms: "
        + ", ".join(f"{name} {spent[name]:.1f}" for name in (*PARTS, "client") if name in spent)
        + f"; the forward pass alone {found['processor_ms_an_image']:.1f}"
        + (f", the peer {found['peer']['processor_ms']:.1f}." if beside_peer else ".")
    )
    Console().print(f"Goal: {GOAL} of the harder floor, the best forward on the same cores.")


if __name__ == "__main__":
    typer.run(main)
