"""``perennial enrol``: tell the gallery who or what is in labelled images."""

import asyncio
from typing import Annotated

import typer

from client.enrol import Enrolment
from client.enrol import enrol as run
from client.names import Outgoing
from infra.commands.options import Actor, Json, Limit, Manifest, Source
from infra.console import err, out, print_json, progress, warn_of_refused
from lab.images.manifest import from_manifest, read_manifest
from schemas.settings import Settings, load_settings


def enrol(
    manifest: Manifest,
    *,
    actor: Actor = "cli",
    source: Source = "cli",
    limit: Limit = None,
    timeout: Annotated[
        float,
        typer.Option(min=0, help="Seconds without progress of the gallery before it gives up."),
    ] = 60,
    json: Json = False,
) -> None:
    """Enrol the labelled images of a manifest, and wait until the gallery holds them.

    The images are embedded here, with the model that the workers use. Enrolling twice changes
    nothing. Exit 1 when an image was refused or is not in the gallery at the end.

    Example:  perennial enrol herd.csv
    """
    settings = load_settings()
    settings.need_kafka()
    frames = from_manifest(read_manifest(manifest), source)[:limit]
    done = asyncio.run(_enrol(settings, frames, actor, f"enrolled from {manifest.name}", timeout))
    warn_of_refused(done.refused, "refused")
    if done.missing:
        err.print(
            f"{len(done.missing)} are not in the gallery after {timeout:g} s without progress: is "
            "`perennial streams` running? They will be taken when it is.",
            style="red",
            markup=False,
        )
    counts = {name: len(getattr(done, name)) for name in ("held", "refused", "missing")}
    if json:
        print_json({"enrolled": counts.pop("held"), **counts, "why_refused": done.refused})
    else:
        out.print(
            f"enrolled {counts['held']} · refused {counts['refused']} · missing {counts['missing']}"
        )
    raise typer.Exit(0 if done.complete else 1)


async def _enrol(
    settings: Settings, frames: list[Outgoing], actor: str, reason: str, patience_s: float
) -> Enrolment:
    with progress() as bar:
        sent = bar.add_task("embedding", total=len(frames))
        held = bar.add_task("in the gallery", total=len(frames))
        return await run(
            settings,
            frames,
            actor=actor,
            reason=reason,
            patience_s=patience_s,
            on_sent=lambda count: bar.advance(sent, count),
            on_held=lambda count: bar.advance(held, count),
        )
