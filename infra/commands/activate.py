"""``perennial activate``: roll a conditioning out, and take it back."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from client import activation, recent
from client.activation import Present, Rollout, words_of
from infra.commands.options import Actor, Json, Yes
from infra.console import print_json, print_markdown, progress, say, warn
from lab.whatif.agreement import Agreement, Incomparable, compare
from lab.whatif.words import agreement_summary
from schemas.settings import Settings, load_settings
from streams.conditioning.artefact import Artefact


def activate(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Of the artefact; every service must read it there."),
    ] = None,
    *,
    back: Annotated[
        bool, typer.Option("--back", help="Return to what was active before the last change.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Switch conditioning off.")] = False,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would change.")
    ] = False,
    last: Annotated[int, typer.Option(min=1, help="Recent probes that are compared.")] = 500,
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until the index is laid out anew.")
    ] = 300,
    actor: Actor = "cli",
    json: Json = False,
) -> None:
    """Roll a conditioning out on the running system; `perennial fit` makes one.

    Recent probes are answered by what is active and by the new one, and what differs is shown.
    Then the gallery agent lays the index out anew beside the old one, and changes over at once: no
    frame waits for it. `--back` and `--plain` undo, so they neither compare nor ask.

    Example:  perennial activate conditionings/herd

    Example:  perennial activate --back
    """
    if sum((folder is not None, back, plain)) != 1:
        raise typer.BadParameter("give one of a folder, --back and --plain", param_hint="DIR")
    settings = load_settings()
    artefact, rollout, now = _planned(settings, folder, back=back)
    before, after = words_of(now.active), words_of(rollout.active)
    changes = rollout.changes(now)
    agreement = None
    if dry_run or (changes and artefact is not None):
        agreement = _agreement(settings, artefact, rollout, now, last)
        if agreement is not None and not json:
            print_markdown(agreement_summary(agreement, before, after))
    if changes and not dry_run:
        if artefact is not None and not yes:
            typer.confirm(f"Change from {before} to {after}?", abort=True, err=json)
        _carry_out(settings, rollout, actor, timeout)
    if json:
        print_json(_as_json(rollout, now, agreement, done=changes and not dry_run))
    elif not dry_run:
        say(f"active: {after}, before: {before}" if changes else f"{after} is active already")


def _planned(
    settings: Settings, folder: Path | None, *, back: bool
) -> tuple[Artefact | None, Rollout, Present]:
    # The folder first: whether it is right does not depend on anything that runs.
    loaded = None if folder is None else activation.active_of(folder)
    now = asyncio.run(activation.present(settings))
    if loaded is not None:
        return loaded[0], activation.to_artefact(loaded[1], now), now
    return None, activation.back(now) if back else activation.to_plain(now), now


def _agreement(
    settings: Settings, artefact: Artefact | None, rollout: Rollout, now: Present, last: int
) -> Agreement | None:
    """Return what would change; None, and a word about it, where that cannot be known."""
    material = asyncio.run(recent.read_material(settings, last))
    if artefact is not None:
        activation.check(artefact, material.gallery.entries.values(), material.probes.embeddings)
    try:
        with progress() as bar:
            return asyncio.run(compare(now, rollout.active, material, settings, bar))
    except Incomparable as error:
        warn(str(error))
        return None


def _carry_out(settings: Settings, rollout: Rollout, actor: str, timeout_s: float) -> None:
    with progress() as bar:
        bar.add_task("laying the index out anew", total=None)
        asyncio.run(activation.carry_out(settings, rollout, actor, timeout_s))


def _as_json(
    rollout: Rollout, now: Present, agreement: Agreement | None, *, done: bool
) -> dict[str, object]:
    return {
        "before": None if now.active is None else now.active.model_dump(),
        "after": None if rollout.active is None else rollout.active.model_dump(),
        "changed": done,
        "agreement": None if agreement is None else agreement.model_dump(mode="json"),
    }
