"""``perennial up``: everything on this machine, on one screen."""

import time
from contextlib import suppress
from typing import Annotated

import typer
from rich.live import Live

from infra.commands.options import OwnBroker
from infra.console import out
from infra.local.board import StackBoard
from infra.local.stack import addresses, run_folder, stack
from schemas.settings import load_settings

_LOOK_EVERY_S = 1.0


def up(
    workers: Annotated[
        int, typer.Option(min=1, help="Embedding workers; they share the cores.")
    ] = 1,
    broker: OwnBroker = None,
) -> None:
    """Run everything on this machine: broker, Redis, worker, matcher, review and gallery.

    Shows the addresses and what is being counted, until Ctrl-C. A broker or Redis that
    PERENNIAL_KAFKA_BOOTSTRAP_SERVERS or PERENNIAL_REDIS_URL names is used instead of an own one.

    Example:  perennial up --workers 2

    Example:  perennial up --broker apache
    """
    settings = load_settings() if broker is None else load_settings(broker=broker)
    with run_folder("up") as folder, out.status("starting") as status:
        notes: list[str] = []

        def say(text: str) -> None:
            notes.append(text)
            status.update(text)

        with stack(settings, workers=workers, run_dir=folder.path, say=say) as running:
            status.stop()
            notes.clear()
            if not out.is_terminal:
                out.print(addresses(running), soft_wrap=True)
            board = StackBoard(running)
            with suppress(KeyboardInterrupt), Live(board, console=out, auto_refresh=False) as live:
                while True:
                    board.look()
                    board.take_note(notes[-1] if notes else "")
                    live.refresh()
                    time.sleep(_LOOK_EVERY_S)
