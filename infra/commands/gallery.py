"""See what is known, and change it by hand."""

import asyncio
from typing import Annotated
from uuid import uuid4

import typer

from client.gallery import Gallery, read_gallery, request_change, statistics
from infra.commands.options import Actor, Json, Limit, Reason, Yes, checked
from infra.console import out, print_json, say
from lab.shown.tables import table
from schemas.gallery import (
    Action,
    Erase,
    GalleryCommand,
    GalleryEntry,
    Move,
    Quarantine,
    Restore,
    Status,
)
from schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True)

IdentityName = Annotated[str, typer.Argument(metavar="IDENTITY", help="As `gallery list` has it.")]
EntryIds = Annotated[
    list[str] | None,
    typer.Option("--entry", metavar="ENTRY", help="Only this one, or its bare id; repeatable."),
]


@app.command()
def stats(*, json: Json = False) -> None:
    """Count identities and entries, by cluster, model and reason of quarantine.

    Example:  perennial gallery stats
    """
    counts = statistics(_gallery())
    if json:
        print_json(counts)
        return
    grid = table("what", "count")
    grid.show_header = False
    for name, value in counts.items():
        shown = value.items() if isinstance(value, dict) else [("", value)]
        for part, count in shown:
            grid.add_row(f"{name} {part}".replace("_", " "), str(count))
    out.print(grid)


@app.command("list")
def list_entries(
    *,
    identity: Annotated[str | None, typer.Option(help="Only entries of this identity.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only active or quarantined ones.")] = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """List the entries, by identity and time.

    Example:  perennial gallery list --identity Bella
    """
    entries = sorted(
        (
            entry
            for entry in _gallery().entries.values()
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
    yes: Yes = False,
) -> None:
    """Remove entries for ever. Nothing brings them back.

    Example:  perennial gallery erase Bella --reason "the owner asks for it"
    """
    what = ", ".join(entry) if entry else "every entry"
    if not yes:
        typer.confirm(f"Erase {what} of {identity} for ever?", abort=True)
    _ask(identity, reason, actor, Erase(entry_ids=tuple(entry or ())))


def _gallery() -> Gallery:
    return asyncio.run(read_gallery(load_settings()))


def _ask(identity: str, reason: str, actor: str, action: Action) -> None:
    command = checked(
        lambda: GalleryCommand(
            command_id=str(uuid4()), identity=identity, actor=actor, reason=reason, action=action
        )
    )
    asyncio.run(request_change(load_settings(), command))
    say(f"asked to {action.action} {identity}; `perennial watch gallery` shows it done")


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
