"""``perennial whatif``: what another threshold would do, before anything is changed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from client import activation, recent
from client.activation import active_of, check
from infra.commands.options import Json, folder_out, share_option
from infra.console import err, print_markdown, progress
from lab.whatif.whatif import FPIRS, WhatIf, what_if
from lab.whatif.words import curve_summary, write
from schemas.settings import Settings, load_settings


def whatif(
    *,
    fpir: Annotated[
        list[float] | None,
        share_option(
            "Share of unknown probes that may get a name; may be repeated. Else from 0.0005 "
            "to 0.1. The one that is asked for at present is always among them."
        ),
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="Recent probes that are replayed.")] = 500,
    conditioning: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Answer by this one, as if it were active; else by what is active."
        ),
    ] = None,
    strangers: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share of strangers among the probes; else by people's answers."
        ),
    ] = None,
    folder: Annotated[Path | None, folder_out("Write whatif.json and whatif.png here.")] = None,
    json: Json = False,
) -> None:
    """Show false matches against review load for other thresholds; nothing is changed.

    The last probes are answered again, each FPIR in turn, against the present gallery. How many
    strangers would get a name follows from the tail of the impostors' distances; where people
    have named these very probes, it shows how many answers would be right and wrong.

    Example:  perennial whatif --fpir 0.001 --fpir 0.01 --out whatif
    """
    effect = asyncio.run(_replayed(load_settings(), fpir, last, conditioning, strangers))
    if json:
        typer.echo(effect.model_dump_json())
    else:
        print_markdown(curve_summary(effect))
    if folder is not None:
        write(folder, effect)
        err.print(f"wrote {folder / 'whatif.png'} and whatif.json")


async def _replayed(
    settings: Settings,
    fpirs: Sequence[float] | None,
    last: int,
    conditioning: Path | None,
    strangers: float | None,
) -> WhatIf:
    if conditioning is None:
        now = await activation.present(settings)
        active, live = now.active, now.state
        material = await recent.read_material(settings, last)
    else:
        artefact, active = active_of(conditioning)
        live, material = None, await recent.read_material(settings, last)
        check(artefact, material.gallery.entries.values(), material.probes.embeddings)
    with progress() as bar:
        return await what_if(
            settings,
            active,
            material,
            FPIRS if fpirs is None else fpirs,
            bar,
            share=strangers,
            live=live,
        )
