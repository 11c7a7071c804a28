"""One run: publish, decide, hurt, wait until all is quiet, then compare everything."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress, TaskID

from client.follow import Follower
from client.gallery import Gallery, read_gallery
from client.producer import producer
from client.reader import Reader, reader
from infra.console import progress
from infra.local.stack import run_folder
from infra.torture.account import Account, account_of
from infra.torture.curator import Curator
from infra.torture.evidence import differences_in_redis, keep_topics
from infra.torture.faults import RunPlan, faults_of
from infra.torture.history import History
from infra.torture.memory import MemoryDiary
from infra.torture.register import Register, seen
from infra.torture.rig import Rig, rig
from infra.torture.sender import OtherProducer, Sender
from infra.torture.traffic import Traffic
from infra.torture.victims import Victims
from schemas.errors import PerennialError
from schemas.recognition_event import ReviewItem
from schemas.settings import Settings
from schemas.topics import FRAMES, GALLERY, GALLERY_COMMANDS, REVIEW_DECISIONS

Note = Callable[[str], None]

_CURATORS = 3
_SILENCE_S = 120.0
_QUIET_S = 4.0  # all agrees for so long: what came late would show
_LOOK_EVERY_S = 1.0
_SAMPLE_EVERY_S = 0.5
_OPENING_S = 12.0
"""So long nobody answers: a gallery of one entry a motif takes all others for one of these, asks
nothing more, and leaves nothing to decide."""
_SHOW_EVERY_S = 0.5
_LONG_STALL_S = 60.0  # somebody will want to know why


class TortureRun:
    """Runs a plan against a rig; the screen reads ``register`` and ``victims`` meanwhile."""

    def __init__(self, rig: Rig, plan: RunPlan, note: Note) -> None:
        self.register = Register()
        self.victims = Victims(rig, note, plan.seed)
        self.phase = "starting"
        self._rig = rig
        self.plan = plan
        self._note = note
        self.history = History()
        self.memory = MemoryDiary()
        self.pids: defaultdict[str, set[int]] = defaultdict(set)
        self.began = time.time()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first frame, or since this was made."""
        return time.time() - self.began

    @property
    def broker_keeps(self) -> bool:
        """Whether the broker's records survive its death."""
        return self._rig.broker.keeps

    async def play(self) -> Account:
        """Return the account, once everything is quiet or nothing has come for minutes."""
        settings = self._rig.settings
        topics = (FRAMES, REVIEW_DECISIONS, GALLERY_COMMANDS)
        async with (
            producer(settings, *topics) as broker,
            Follower(settings) as follower,
            reader(settings, GALLERY, from_beginning=True) as gallery,
            asyncio.TaskGroup() as tasks,
        ):
            curator = Curator(settings, broker, self.history, self._motif_of, self.plan.seed)
            beside = [
                tasks.create_task(self._follow(follower, curator, tasks)),
                tasks.create_task(self._learn(gallery)),
                tasks.create_task(self._sample()),
            ]
            traffic = Traffic(settings, self.plan.seed)
            other = OtherProducer(settings)
            await self._hurt(Sender(broker, other, traffic, self.register), curator)
            differences = await self._settle(settings, curator)
            for task in beside:
                task.cancel()
        account = account_of(self, curator, *differences)
        if not account.clean:
            await keep_topics(settings, self._rig.run_dir)
        return account

    async def _hurt(self, sender: Sender, curator: Curator) -> None:
        self.began = time.time()
        self.phase = "running"
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_CURATORS):
                tasks.create_task(curator.change(stop))
            tasks.create_task(self._faults())
            await sender.publish(self.plan.seconds, self.plan.rate)
            stop.set()
        self._note("no more faults, no more frames")

    async def _faults(self) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for fault in faults_of(self.plan, broker_keeps=self.broker_keeps):
                await asyncio.sleep(began + fault.at_s - time.monotonic())
                tasks.create_task(self.victims.suffer(fault))

    async def _follow(self, follower: Follower, curator: Curator, tasks: asyncio.TaskGroup) -> None:
        asked: list[ReviewItem] = []
        while True:
            for outcome in await follower.batch(0.5):
                self.register.heard(seen(outcome), outcome.received_at)
                if self.phase == "running" and isinstance(outcome.event, ReviewItem):
                    asked.append(outcome.event)
            if asked and self.elapsed_s > _OPENING_S:
                tasks.create_task(curator.asked_about(tuple(asked)))
                asked.clear()

    async def _learn(self, log: Reader) -> None:
        gallery = Gallery()
        while True:
            for record in await log.batch(0.5):
                entry_id = gallery.take(record)
                if entry_id is not None:
                    entry = gallery.entries.get(entry_id)
                    self.history.take(entry_id, entry, record.offset, record.timestamp_ms)

    async def _sample(self) -> None:
        while True:
            for name, pid in self._rig.pids().items():
                self.pids[name].add(pid)
                self.memory.sample(time.monotonic(), name, pid)
            await asyncio.sleep(_SAMPLE_EVERY_S)

    def _motif_of(self, name: str) -> int | None:
        parcel = self.register.parcels.get(name)
        shows = None if parcel is None else parcel.outbound.shows
        return None if shows is None else shows[0]

    async def _settle(self, settings: Settings, curator: Curator) -> tuple[list[str], list[str]]:
        """Wait until nothing waits and all agree, as long as anything changes.

        An outcome that was there before is a change too: after a group lost its offsets, all is
        read again, and what waits comes last.

        Returns what differs still: the gallery from what was decided, Redis from the gallery.
        """
        self.phase = "settling"
        before, moved = None, time.monotonic()
        while True:
            decided = curator.intended.differences(self.history.now)
            held = await _in_redis(settings)
            open_ends = (len(self.register.waiting), decided, held)
            now = (*open_ends, sum(self.register.outcomes.values()))
            if now != before:
                before, moved = now, time.monotonic()
            silent = time.monotonic() - moved
            if silent > (_SILENCE_S if any(open_ends) else _QUIET_S):
                return decided, held
            await asyncio.sleep(_LOOK_EVERY_S)


async def _in_redis(settings: Settings) -> list[str]:
    """Return where Redis departs from the log, read again from its beginning."""
    try:
        gallery = await read_gallery(settings)
        return await differences_in_redis(settings, gallery.entries)
    except (PerennialError, OSError) as error:
        return [f"cannot be compared: {error}"]


def play(settings: Settings, plan: RunPlan) -> Account:
    """Run the plan; the run folder stays, with every log, after a long stall or where the account
    is not clean.
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
