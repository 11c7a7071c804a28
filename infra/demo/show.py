"""The demo from start to end: services up, frames through them, the numbers and the picture."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live

from client.outgoing import Outgoing
from infra.demo.guest import guest
from infra.demo.ledger import Ended, Ledger
from infra.demo.picture import album, save
from infra.demo.report import Report, report
from infra.demo.run import Plan, Run
from infra.demo.screen import TENTHS, YearScreen, tenth, tenth_is_over
from infra.local.run_folder import run_folder
from infra.local.stack import Stack, addresses, stack
from schemas.settings import Settings

_REFRESH_S = 0.15


class Show:
    """Runs the demo on ``console``: a live table in a terminal, some lines anywhere else."""

    def __init__(self, console: Console, title: str, plan: Plan) -> None:
        self._console = console
        self._title = title
        self._plan = plan
        self._say: Callable[[str], None] = self._print

    def play(
        self,
        settings: Settings,
        frames: Iterable[Outgoing],
        *,
        picture: Path,
        json_file: Path | None,
        keep: bool,
    ) -> Report:
        """Stream the frames through a stack, write what came of them, and return it.

        Args:
            settings: a broker and a Redis that they name are used, with topics of our own.
            frames: what to stream, in the order of the plan.
            picture: where a few frames with their outcome are drawn.
            json_file: where the numbers are written, if anywhere.
            keep: whether to go on afterwards, until Ctrl-C.

        Raises:
            SetupError: a service did not start.
            DependencyDown: a service that was named does not answer.
        """
        begun = time.monotonic()
        run = Run(frames, self._plan)
        try:
            with (
                run_folder("demo") as folder,
                guest(settings) as own,
                self._console.status("starting") as status,
            ):
                self._say = lambda text: status.update(text)
                with stack(own, run_dir=folder.path, say=lambda text: self._say(text)) as services:
                    status.stop()
                    summary = self._stream(run, services.settings, begun)
                    folder.keep = summary.lost > 0
                    self._end(run.ledger, summary, picture, json_file)
                    if keep:
                        self._stay(services)
        finally:
            run.close()
        return summary

    def _stream(self, run: Run, settings: Settings, begun: float) -> Report:
        started = time.monotonic()
        if self._console.is_terminal:
            asyncio.run(self._live(run, settings))
        else:
            self._say = self._print
            asyncio.run(run.play(settings, self._line(run)))
        ended = time.monotonic()
        return report(self._title, run.ledger, run.gallery, ended - started, ended - begun)

    async def _live(self, run: Run, settings: Settings) -> None:
        screen = YearScreen(self._title, run.ledger, run.gallery, run.window)
        self._say = screen.take_note
        with Live(screen, console=self._console, auto_refresh=False) as live:
            playing = asyncio.create_task(run.play(settings, lambda _: None))
            while not playing.done():
                await asyncio.wait([playing], timeout=_REFRESH_S)
                live.refresh()
            await playing

    def _line(self, run: Run) -> Callable[[Ended], None]:
        due = 1

        def on_ended(_: Ended) -> None:
            nonlocal due
            while due <= TENTHS and tenth_is_over(run.ledger, due):
                self._print(tenth(run.ledger, run.gallery, due))
                due += 1

        return on_ended

    def _end(self, ledger: Ledger, summary: Report, picture: Path, json_file: Path | None) -> None:
        save(picture, album(ledger.history), ledger.whole(), self._title)
        if json_file is not None:
            text = json.dumps(summary.to_json(), indent=2, ensure_ascii=False)
            json_file.write_text(text + "\n", encoding="utf-8")
        self._console.print(summary)
        self._print(f"Picture      {picture}")

    def _stay(self, services: Stack) -> None:
        self._console.print(addresses(services))
        self._print("It all keeps running: publish frames of your own. Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(1)

    def _print(self, text: str) -> None:
        self._console.print(f" {text}", soft_wrap=True, markup=False)
