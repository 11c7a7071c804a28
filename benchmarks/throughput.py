"""Frames/s end to end, beside the raw forward pass of the same model, threads and batch.

A burst of frames is put on ``frames``; all of broker, worker, Redis, matcher and gallery run on
this machine. Counted is the time from the first to the last outcome, by their timestamps, after
the gallery has learned some frames. The floor is measured before and after, alone.
"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from client.follow import Follower, Outcome
from client.names import Outgoing
from client.publish import publish
from client.reviews import answer_by_labels
from infra.demo.run import rendered
from infra.local.stack import stack
from schemas.settings import Settings, load_settings

LEARNED = 600
GOAL = 0.7

console = Console(stderr=True)


def floor() -> dict[str, float]:
    """Measure the raw forward pass in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.floor"]
    found: dict[str, float] = json.loads(subprocess.check_output(command))
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


async def burst(settings: Settings, frames: list[Outgoing]) -> dict[str, float]:
    """Publish all at once; return frames/s and what became of them."""
    async with Follower(settings) as follower:
        started = time.time()
        await publish(settings, frames, rate=None)
        published = time.time() - started
        found = await collect(follower, len(frames), timedelta(minutes=10))
    ended = sorted(outcome.record.timestamp_ms / 1000 for outcome in found)
    steady = ended[len(ended) // 20 :]  # the first ones meet empty queues
    return {
        "frames": len(found),
        "identified": sum(outcome.kind == "identified" for outcome in found),
        "publish_s": published,
        "frames_per_second": (len(steady) - 1) / (steady[-1] - steady[0]),
    }


def measure(count: int) -> dict[str, Any]:
    """Run the whole benchmark."""
    world = list(rendered(LEARNED + 400, 24, 7))
    images = [(frame, frame.load()) for frame in world[LEARNED:]]
    frames = [
        replace(frame, given_id=f"burst-{i:05}", load=partial(bytes, image))
        for i, (frame, image) in enumerate(islice(cycle(images), count))
    ]
    console.print("floor: the raw forward pass, alone")
    floors = [floor()]
    with TemporaryDirectory() as folder:
        settings = load_settings(worker_port=0, streams_port=0)
        with stack(settings, run_dir=Path(folder), say=console.print) as running:
            console.print(f"learning {LEARNED} frames")
            asyncio.run(learn(running.settings, world[:LEARNED]))
            console.print(f"a burst of {count} frames")
            found = asyncio.run(burst(running.settings, frames))
    floors.append(floor())
    for name in ("as_worker", "one_pass"):
        found[name] = sum(f[name] for f in floors) / len(floors)
        found[f"ratio_{name}"] = found["frames_per_second"] / found[name]
    return {**found, **{name: floors[0][name] for name in ("lanes", "threads", "batch")}}


def main(
    frames: Annotated[int, typer.Option(help="Frames in the burst")] = 3000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only")] = False,
) -> None:
    """Print frames/s end to end, the floor, and their ratio."""
    found = measure(frames)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    lanes, threads, batch = (int(found[name]) for name in ("lanes", "threads", "batch"))
    table = Table("what", "per second", "end to end / this")
    table.add_row("end to end", f"{found['frames_per_second']:.0f} frames", "")
    for name, how in (
        ("one_pass", f"one pass at a time on {lanes * threads} threads"),
        ("as_worker", f"{lanes} passes at a time on {threads} thread each"),
    ):
        label = f"raw forward, batch {batch}, {how}"
        table.add_row(label, f"{found[name]:.0f} images", f"{found[f'ratio_{name}']:.2f}")
    Console().print(table)
    Console().print(
        f"Goal: {GOAL} of the forward pass on the same threads and batch. The worker runs its"
        " passes side by side, which is the harder floor."
    )


if __name__ == "__main__":
    typer.run(main)
