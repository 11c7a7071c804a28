"""``perennial gallery``: what is known, and how it is changed by hand."""

import asyncio
import difflib
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from client.names import full_name
from infra.commands.checked import checked
from infra.commands.options import Actor, Json, Reason
from infra.commands.panels import panel
from infra.console import out, print_json
from lab.shown.tables import table
from schemas.errors import SetupError
from schemas.gallery import (
    Action,
    Enrol,
    Erase,
    GalleryCommand,
    GalleryEntry,
    Move,
    Quarantine,
    Restore,
    Status,
)
from schemas.settings import Settings, load_settings
from schemas.topics import GALLERY_COMMANDS

if TYPE_CHECKING:
    from client.gallery_log import Entries

app = typer.Typer(no_args_is_help=True)

_TICK = timedelta(microseconds=1)

IdentityName = Annotated[str, typer.Argument(metavar="IDENTITY", help="As `gallery list` has it.")]
EntryIds = Annotated[
    list[str] | None,
    typer.Option("--entry", metavar="ENTRY", help="Only this one, or its bare id; repeatable."),
]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(
        app,
        name="gallery",
        rich_help_panel=panel("gallery"),
        help="See what is known, and change it by hand.",
    )


@app.command()
def stats(*, json: Json = False) -> None:
    """Count identities and entries, by cluster, model and reason of quarantine.

    Example:  perennial gallery stats
    """
    from client.gallery_log import statistics

    found = statistics(_entries(load_settings()))
    if json:
        print_json(found)
        return
    grid = table("what", "count")
    grid.show_header = False
    for name, value in found.items():
        shown = value.items() if isinstance(value, dict) else [("", value)]
        for part, count in shown:
            grid.add_row(f"{name} {part}".replace("_", " "), str(count))
    out.print(grid)


@app.command("list")
def list_entries(
    *,
    identity: Annotated[str | None, typer.Option(help="Only entries of this identity.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only active or quarantined ones.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    json: Json = False,
) -> None:
    """List the entries, by identity and time.

    Example:  perennial gallery list --identity Bella
    """
    entries = sorted(
        (
            entry
            for entry in _entries(load_settings()).values()
            if identity in (None, entry.identity) and status in (None, entry.status)
        ),
        key=lambda entry: (entry.identity, entry.captured_at),
    )[:limit]
    if json:
        print_json([entry.model_dump(mode="json", exclude={"vector"}) for entry in entries])
        return
    grid = table("identity", "entry", "captured", "cluster", "status", "by", "reason")
    for entry in entries:
        grid.add_row(*_cells(entry))
    out.print(grid)


@app.command()
def quarantine(
    identity: IdentityName, *, reason: Reason, entry: EntryIds = None, actor: Actor = "cli"
) -> None:
    """Take entries out of matching; `restore` brings them back.

    Example:  perennial gallery quarantine Bella --entry north/0412.jpg --reason blurred
    """
    _ask(identity, reason, actor, Quarantine(entry_ids=tuple(entry or ())))


@app.command()
def restore(
    identity: IdentityName, *, reason: Reason, entry: EntryIds = None, actor: Actor = "cli"
) -> None:
    """Put quarantined entries back.

    Example:  perennial gallery restore Bella --reason "not blurred at all"
    """
    _ask(identity, reason, actor, Restore(entry_ids=tuple(entry or ())))


@app.command()
def rename(
    identity: IdentityName,
    to: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    *,
    reason: Reason,
    actor: Actor = "cli",
) -> None:
    """Give an identity another name; one that exists takes its entries in.

    Example:  perennial gallery rename Bela Bella --reason "a typing error"
    """
    _ask(identity, reason, actor, checked(lambda: Move(action="rename", to=to)))


@app.command()
def erase(
    identity: IdentityName,
    *,
    reason: Reason,
    entry: EntryIds = None,
    actor: Actor = "cli",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove entries for ever. Nothing brings them back.

    Example:  perennial gallery erase Bella --reason "the owner asks for it"
    """
    what = ", ".join(entry) if entry else "every entry"
    if not yes:
        typer.confirm(f"Erase {what} of {identity} for ever?", abort=True)
    _ask(identity, reason, actor, Erase(entry_ids=tuple(entry or ())))


def _entries(settings: Settings) -> "Entries":
    from client.gallery_log import read_gallery

    return asyncio.run(read_gallery(settings))


def _ask(identity: str, reason: str, actor: str, action: Action) -> None:
    command = checked(
        lambda: GalleryCommand(
            command_id=str(uuid4()), identity=identity, actor=actor, reason=reason, action=action
        )
    )
    asyncio.run(_publish(load_settings(), command))
    out.print(
        f"asked to {action.action} {identity}; `perennial watch gallery` shows it done",
        markup=False,
        soft_wrap=True,
    )


async def _publish(settings: Settings, command: GalleryCommand) -> None:
    from client.gallery_log import read_gallery
    from client.kafka import producer

    command = _meant(await read_gallery(settings), command)
    async with producer(settings, GALLERY_COMMANDS) as broker:
        await broker.send(command.record(settings.topic(GALLERY_COMMANDS)))


def _meant(entries: "Entries", command: GalleryCommand) -> GalleryCommand:
    """Return the command with the whole names of its entries, decided after all that is seen."""
    known = Counter(entry.identity for entry in entries.values())
    if command.identity not in known:
        near = difflib.get_close_matches(command.identity, known, n=3)
        meant = f"; did you mean {', '.join(near)}?" if near else ""
        raise SetupError(
            f"no identity {command.identity!r} among the {len(known)} in the gallery{meant}"
        )
    if isinstance(command.action, Enrol):
        return command
    own = {name for name, entry in entries.items() if entry.identity == command.identity}
    what = f"entry of {command.identity}"
    named = tuple(full_name(given, own, what) for given in command.action.entry_ids)
    action = command.action.model_copy(update={"entry_ids": named})
    seen = (entry.decided_at + _TICK for entry in entries.values() if entry.entry_id in own)
    # Somebody else's clock may be ahead of ours; what we decide on seeing that comes after it.
    decided_at = max(command.decided_at, *seen)
    return command.model_copy(update={"action": action, "decided_at": decided_at})


def _cells(entry: GalleryEntry) -> tuple[str, ...]:
    return (
        entry.identity,
        entry.entry_id,
        f"{entry.captured_at:%Y-%m-%d %H:%M}",
        entry.cluster,
        entry.status,
        entry.actor,
        entry.reason,
    )
