"""The demo from start to end: services up, frames through them, the numbers and the picture."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.live import Live

from access.kafka import librdkafka_options
from client.names import Outgoing
from infra.demo.ledger import Ended, Ledger
from infra.demo.picture import album, save
from infra.demo.report import Report, report
from infra.demo.run import Plan, Run
from infra.demo.screen import TENTHS, YearScreen, tenth, tenth_is_over
from infra.local.stack import Stack, addresses, run_folder, stack
from schemas.errors import DependencyDown
from schemas.settings import Settings
from schemas.topics import TOPICS
from streams.index.redis import redis_index

_REFRESH_S = 0.15
_TIMEOUT_S = 10.0


@contextmanager
def guest(settings: Settings) -> Iterator[Settings]:
    """Yield settings under which the demo meets nothing but its own, and clean up after it.

    The services that a run starts for itself are empty at first and gone at its end; only those
    that ``settings`` names see a new topic prefix.
    """
    if settings.kafka_bootstrap_servers is None and settings.redis_url is None:
        yield settings
        return
    prefix = f"{settings.topic_prefix}demo-{token_hex(4)}."
    own = settings.model_copy(update={"topic_prefix": prefix})
    try:
        yield own
    finally:
        if own.kafka_bootstrap_servers is not None:
            _clean_kafka(own)
        if own.redis_url is not None:
            with suppress(DependencyDown):  # it may have gone, which is why we end
                asyncio.run(_clean_redis(own))


def _clean_kafka(settings: Settings) -> None:
    client = AdminClient({**librdkafka_options(settings), "log_level": 0})
    topics = client.delete_topics([settings.topic(topic) for topic in TOPICS.values()])
    groups = client.delete_consumer_groups([settings.workers_group, settings.streams_group])
    for asked in (*topics.values(), *groups.values()):
        with suppress(KafkaException, TimeoutError):  # not every broker deletes; nobody is hurt
            asked.result(_TIMEOUT_S)


async def _clean_redis(settings: Settings) -> None:
    async with redis_index(settings) as index:
        await index.remove()


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
