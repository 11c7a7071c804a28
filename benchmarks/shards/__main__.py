"""``python -m benchmarks.shards``: look-ups in a gallery cut into shards, beside one index."""

import asyncio
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Annotated

import typer

from benchmarks.command import command
from benchmarks.shards.measure import Plan, measure
from benchmarks.shards.rows import Row, shown
from benchmarks.shards.server import Server, address
from infra.console import err, out, print_json
from schemas.settings import load_settings


def main(
    entries: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Size of the gallery, else 10000 and 100000; may be repeated."),
    ] = None,
    clusters: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Number of shards, else 1, 4, 16 and 64; may be repeated."),
    ] = None,
    dimension: Annotated[int, typer.Option(min=2, help="Of the vectors.")] = 128,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each variant is measured.")] = 9,
    seconds: Annotated[float, typer.Option(min=0, help="Least duration of one time.")] = 0.25,
    *,
    flat: Annotated[bool, typer.Option("--flat", help="Also with every shard FLAT.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Look probes up as the matcher does, and compare with one index of the same entries.

    Once each probe in its own shard only, then in 2, 4 and all of them. All variants of a size lie
    in Redis side by side and are measured in turns; a ratio is the median of those of the rounds.

    The Redis is that of PERENNIAL_REDIS_URL, which should be idle, or an embedded one.

    Example:  python -m benchmarks.shards --entries 10000 --clusters 16 --flat
    """
    settings = load_settings()
    sizes = (10_000, 100_000) if entries is None else tuple(sorted(set(entries)))
    numbers = tuple(sorted({1, *((4, 16, 64) if clusters is None else clusters)}))
    if numbers[-1] > sizes[0]:
        raise typer.BadParameter(f"{sizes[0]} entries do not fill {numbers[-1]} shards")
    plan = Plan(
        clusters=numbers,
        hnsw_above=settings.hnsw_above,
        flat=flat,
        dimension=dimension,
        batch=settings.match_batch,
        k=settings.neighbours,
        rounds=rounds,
        seconds=seconds,
    )
    say = partial(err.print, markup=False, soft_wrap=True)
    with address(settings.redis_url) as url:
        versions, rows = asyncio.run(_run(url, sizes, plan, say))
    about = (
        f"{dimension} dimensions, {plan.batch} probes a round trip, k = {plan.k} neighbours; "
        f"{versions}; {platform.machine()}, {os.cpu_count()} cores"
    )
    if as_json:
        print_json({"about": about, "plan": asdict(plan), "rows": [asdict(row) for row in rows]})
        return
    for (size, rule), some in groupby(rows, key=attrgetter("entries", "rule")):
        out.print(f"\n{size} entries, {rule}", style="bold")
        out.print(shown(some))
    out.print(
        "\n× one: probes/s over those of one index of the same entries. cost: seconds a probe over "
        "those of one that searches its own shard only; it should be no more than the shards "
        "searched. Redis, client: their shares of the time. recall: of the truly nearest entry, "
        "and the k nearest, of the searched shards.\n" + about,
        markup=False,
    )


async def _run(
    url: str, sizes: Sequence[int], plan: Plan, say: Callable[[str], None]
) -> tuple[str, list[Row]]:
    async with Server(url) as server:
        rows = [row for size in sizes for row in await measure(url, size, plan, server, say)]
        return await server.versions(), rows


if __name__ == "__main__":
    command(main)
