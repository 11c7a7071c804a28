"""``perennial publish``: frames in, and with ``--wait`` what became of them."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from client.follow import Tally
from client.names import Outgoing
from client.publish import publish as send
from client.publish import publish_and_wait
from infra.commands.options import Json, Limit, Source
from infra.console import err, out, print_json, progress
from lab.images.manifest import from_directory, from_manifest, read_manifest, read_value
from lab.shown.tables import table
from schemas.background import declaration_of
from schemas.settings import Settings, load_settings

_SHOWN = 5


def publish(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PHOTO|FOLDER|MANIFEST.CSV",
            exists=True,
            help="A photograph, a folder of them, or path,label,captured_at and variables.",
        ),
    ],
    *,
    var: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A background variable of every frame."),
    ] = None,
    source: Source = "cli",
    rate: Annotated[
        float | None, typer.Option(min=1e-3, help="Frames per second; as fast as it goes.")
    ] = None,
    limit: Limit = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow every frame to its outcome; exit 1 if lost.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(min=0, help="Seconds without any outcome after which --wait gives up."),
    ] = 60,
    json: Json = False,
) -> None:
    """Publish photographs as frames.

    A frame's id is its path in the folder and a mark of its content, so publishing twice changes
    nothing, and folders may hold files of the same name. Columns of a manifest travel as background
    variables; when PERENNIAL_VARIABLES declares some, the other columns stay behind. Where no
    captured_at is told, the photograph's own time counts (EXIF; without an offset it is that of
    the declared timezone, else UTC).

    Example:  perennial publish photos/ --var season=winter --wait
    """
    settings = load_settings()
    settings.need_kafka()
    frames = _frames(path, source, _variables(var), settings)[:limit]
    if wait:
        tally = asyncio.run(_publish_and_wait(settings, frames, rate, timeout))
        if json:
            print_json(tally.to_json())
        else:
            out.print(tally_screen(tally))
        if tally.pending:
            err.print(
                f"nothing more came for {timeout:g} s: `perennial doctor` tells whether the broker "
                "is well and how much waits; are `perennial worker` and `perennial streams` "
                "running?",
                style="red",
                markup=False,
            )
        raise typer.Exit(1 if tally.pending else 0)
    count = asyncio.run(_publish(settings, frames, rate))
    if json:
        print_json({"published": count})
    else:
        out.print(f"published {count}")


def _variables(given: Sequence[str] | None) -> dict[str, str | float]:
    values: dict[str, str | float] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise typer.BadParameter(f"{text!r}: write NAME=VALUE", param_hint="--var")
        values[name] = read_value(value)
    return values


def _frames(
    path: Path, source: str, extra: dict[str, str | float], settings: Settings
) -> list[Outgoing]:
    if path.suffix.lower() != ".csv":
        return from_directory(path, source, extra)
    rows = read_manifest(path)
    only = _declared(settings)
    if only is not None:
        behind = sorted({name for row in rows for name in row.background} - set(only))
        if behind:
            err.print(f"not declared, stay behind: {', '.join(behind)}", markup=False)
    return from_manifest(rows, source, extra, only)


def _declared(settings: Settings) -> Collection[str] | None:
    declaration = declaration_of(settings)
    return None if declaration is None else declaration.variables


async def _publish(settings: Settings, frames: Sequence[Outgoing], rate: float | None) -> int:
    with progress() as bar:
        sent = bar.add_task("publishing", total=len(frames))
        return await send(settings, frames, rate=rate, progress=lambda _: bar.advance(sent))


async def _publish_and_wait(
    settings: Settings, frames: Sequence[Outgoing], rate: float | None, patience_s: float
) -> Tally:
    with progress() as bar:
        sent = bar.add_task("publishing", total=len(frames))
        done = bar.add_task(
            "answered", total=len({(frame.source, frame.given_id) for frame in frames})
        )
        return await publish_and_wait(
            settings,
            frames,
            rate=rate,
            patience_s=patience_s,
            on_sent=lambda _: bar.advance(sent),
            on_outcome=lambda _: bar.advance(done),
        )


def tally_screen(tally: Tally) -> RenderableType:
    """Return the counts, the latencies and the frames that are lost."""
    lines: list[RenderableType] = [Text(str(tally), style="bold red" if tally.pending else "bold")]
    if tally.latencies:
        grid = table("latency, ms", "p50", "p95")
        for stage, took in tally.latencies.items():
            grid.add_row(stage, f"{took.p50:.1f}", f"{took.p95:.1f}")
        lines.append(grid)
    for reason, count in tally.dead_reasons.most_common():
        lines.append(Text(f"dead: {reason} × {count}"))
    lines += [Text(f"lost: {frame}", overflow="fold") for frame in tally.lost[:_SHOWN]]
    if tally.pending > _SHOWN:
        lines.append(Text(f"lost: and {tally.pending - _SHOWN} more"))
    return Group(*lines)
