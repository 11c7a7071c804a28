"""Runs a plan from nothing to its account, with a line that tells how it goes."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress, TaskID

from infra.console import progress
from infra.local.run_folder import run_folder
from infra.torture.account import Account
from infra.torture.faults import RunPlan
from infra.torture.rig import rig
from infra.torture.run import TortureRun
from schemas.settings import Settings

_SHOW_EVERY_S = 0.5
_LONG_STALL_S = 60.0  # somebody will want to know why


def play(settings: Settings, plan: RunPlan) -> Account:
    """Run the plan; the run folder stays, with every log, after a long stall or where the account
    is not clean.

    Raises:
        SetupError: a part does not start.
        DependencyDown: the broker is gone for good.
    """
    with run_folder("torture") as folder, _timeline(folder.path) as note, progress() as bar:
        task = bar.add_task("starting", total=plan.seconds)
        with rig(settings, folder.path, note) as running:
            run = TortureRun(running, plan, note)
            account = asyncio.run(_played(run, bar, task))
        text = json.dumps(account.as_json(), indent=1)
        (folder.path / "account.json").write_text(text)
        folder.keep = not account.clean or account.stall_s > _LONG_STALL_S
    return account


async def _played(run: TortureRun, bar: Progress, task: TaskID) -> Account:
    showing = asyncio.create_task(_show(run, bar, task))
    try:
        return await run.play()
    finally:
        showing.cancel()


async def _show(run: TortureRun, bar: Progress, task: TaskID) -> None:
    while True:
        register = run.register
        now = ", ".join(run.victims.present.values())
        line = f"{run.phase}: {len(register.parcels):,} sent, {len(register.waiting):,} wait {now}"
        bar.update(task, description=line, completed=run.elapsed_s)
        await asyncio.sleep(_SHOW_EVERY_S)


@contextmanager
def _timeline(folder: Path) -> Iterator[Callable[[str], None]]:
    """Write down what happens, with the seconds since the start."""
    began = time.monotonic()
    last = ""
    with (folder / "timeline.txt").open("a") as file:

        def note(text: str) -> None:
            nonlocal last
            if text == last:  # a start says many times what it waits for
                return
            last = text
            file.write(f"{time.monotonic() - began:8.1f} {text}\n")
            file.flush()

        yield note
