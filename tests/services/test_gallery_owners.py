"""Several processes that may own the gallery: one writes, and whoever was paused writes in vain."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from client.admin import create_topics
from infra.torture.evidence import differences_in_redis
from schemas.gallery import Erase, GalleryCommand, Move
from schemas.gallery_fold import GalleryFold
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.recognition_event import ReviewDecision
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, GALLERY, GALLERY_COMMANDS, REVIEW_DECISIONS
from streams.app import run
from tests.gallery_entries import command, enrol
from tests.services.kafka import collecting, eventually, fold_of, put, running
from tests.services.processes import process
from tests.unit.infra_events import review_item

AXES = np.eye(8, dtype=np.float32)


class OtherGroup(Settings):
    """The same deployment for a broker that knows nothing of its group any more."""

    @property
    def streams_group(self) -> str:
        """A group without offsets."""
        return self.topic_prefix + "forgotten"


def forgotten(settings: Settings) -> Settings:
    """Return the settings after Kafka has forgotten the group and its offsets."""
    return OtherGroup(**settings.model_dump())


def told(settings: Settings, found: Iterable[Record]) -> dict[str, str]:
    """Return the identities by entry, as the log tells them."""
    return {i: e.identity for i, e in fold_of(settings, found).entries.items()}


async def ask(settings: Settings, *commands: GalleryCommand) -> None:
    topic = settings.topic(GALLERY_COMMANDS)
    await put(settings, [asked.record(topic) for asked in commands])


async def in_redis(settings: Settings, fold: GalleryFold) -> None:
    """Wait until Redis holds what the log tells, and nothing else."""
    async with asyncio.timeout(30):
        while await differences_in_redis(settings, fold.entries):
            await asyncio.sleep(0.1)


def owner_of(fold: GalleryFold) -> int:
    """Return the process that has claimed the gallery last."""
    assert fold.claim is not None
    found = re.search(r"-(\d+)-[0-9a-f]+$", fold.claim.owner)
    assert found is not None
    return int(found.group(1))


class Curator:
    """Changes the gallery without pause, and knows what it must hold."""

    def __init__(self, settings: Settings) -> None:
        self.wanted: dict[str, str] = {}
        self._settings = settings
        self._stopped = False

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._work())
        try:
            yield
        finally:
            self._stopped = True
            await task

    async def _work(self) -> None:
        number = 0
        while not self._stopped:
            number += 1
            name, identity = f"e{number % 40}", f"id-{number}"
            vector = AXES[number % 7] + 0.1 * AXES[7]
            asked = [enrol(name, identity, vector)]
            self.wanted[name] = identity
            if number % 5 == 0:
                asked.append(command(identity, Move(action="rename", to=f"new-{number}")))
                self.wanted[name] = f"new-{number}"
            if number % 11 == 0:
                asked.append(command(self.wanted[name], Erase()))
                del self.wanted[name]
            await ask(self._settings, *asked)
            await asyncio.sleep(0.02)


async def test_an_owner_that_is_paused_spoils_nothing(settings: Settings, tmp_path: Path) -> None:
    curator = Curator(settings)
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    async with collecting(settings, GALLERY, DEAD_LETTERS) as found:
        with (
            process(settings, one, "streams", "--only", "gallery"),
            process(settings, two, "streams", "--only", "gallery"),
        ):
            await eventually(lambda: fold_of(settings, found).term > 0, "a claim")
            await asyncio.sleep(3)  # both have joined the group: ownership rests
            async with curator.at_work():
                await eventually(lambda: len(told(settings, found)) > 5, "it is under way")
                first = owner_of(fold_of(settings, found))
                os.kill(first, signal.SIGSTOP)
                try:
                    await eventually(
                        lambda: owner_of(fold_of(settings, found)) != first, "another owner"
                    )
                    await asyncio.sleep(8)
                finally:
                    os.kill(first, signal.SIGCONT)
                await asyncio.sleep(5)
            await eventually(lambda: told(settings, found) == curator.wanted, "all is carried out")
            fold = fold_of(settings, found)
            await in_redis(settings, fold)
            await eventually(lambda: not fold_of(settings, found).overruled, "nothing shadows it")
    letters = [r for r in found if r.topic == settings.topic(DEAD_LETTERS)]
    assert letters == []
    assert fold.term <= 4, "they do not take it from each other again and again"


async def test_terms_go_on_after_the_group_was_forgotten(
    settings: Settings, metrics: Metrics, health: Health
) -> None:
    async with collecting(settings, GALLERY) as found:
        for term, known in ((1, settings), (2, forgotten(settings))):
            async with running(lambda stop: run(Runtime(known, metrics, health), stop)):  # noqa: B023
                await ask(settings, enrol(f"e{term}", "oak", AXES[term]))
                await eventually(
                    lambda: f"e{term}" in told(settings, found),  # noqa: B023
                    "it is enrolled",
                )
            assert fold_of(settings, found).term == term
    assert told(settings, found) == {"e1": "oak", "e2": "oak"}
    assert len([r for r in found if r.key == b"entry:e1"]) == 1, "a repeat writes nothing"


async def test_terms_go_on_where_the_log_was_copied_to(
    settings: Settings, metrics: Metrics, health: Health
) -> None:
    async with collecting(settings, GALLERY) as found:

        def erased_after(time: datetime | None) -> bool:
            last = fold_of(settings, found).erasures.at("e2")
            return told(settings, found) == {"e1": "oak"} and last not in (None, time)

        for _ in range(2):
            before_it = fold_of(settings, found).erasures.at("e2")
            async with running(lambda stop: run(Runtime(settings, metrics, health), stop)):
                await ask(settings, enrol("e1", "oak", AXES[0]), enrol("e2", "elm", AXES[1]))
                await ask(settings, command("elm", Erase()))
                await eventually(partial(erased_after, before_it), "all three commands")
    copied = settings.model_copy(update={"topic_prefix": f"copy-{settings.topic_prefix}"})
    create_topics(copied)
    topic = copied.topic(GALLERY)
    await put(copied, [replace(record, topic=topic) for record in found])
    before = fold_of(settings, found)
    async with (
        collecting(copied, GALLERY) as again,
        running(lambda stop: run(Runtime(copied, metrics, health), stop)),
    ):
        await eventually(lambda: fold_of(copied, again).term == before.term + 1, "a claim above")
        fold = fold_of(copied, again)
        assert told(copied, again) == {"e1": "oak"}
        assert fold.erasures.at("e2") == before.erasures.at("e2") is not None
        await in_redis(copied, fold)


async def test_what_is_read_again_from_the_beginning_undoes_nothing(
    settings: Settings, metrics: Metrics, health: Health
) -> None:
    """Kafka forgets the offsets of a group that rests for a week, and keeps answers for a year."""
    items = [review_item(f"cam/{n}", vector=AXES[n], model="test@0") for n in range(4)]
    answers = [
        ReviewDecision(item=i, identity=f"cow-{n}", actor="ann") for n, i in enumerate(items)
    ]
    async with collecting(settings, GALLERY, GALLERY_COMMANDS) as found:

        def asked() -> int:
            return len([r for r in found if r.topic == settings.topic(GALLERY_COMMANDS)])

        async with running(lambda stop: run(Runtime(settings, metrics, health), stop)):
            topic = settings.topic(REVIEW_DECISIONS)
            await put(settings, [answer.record(topic) for answer in answers])
            await eventually(lambda: len(told(settings, found)) == 4, "four are enrolled")
            await ask(
                settings,
                command("cow-0", Erase()),
                command("cow-1", Move(action="rename", to="Bella")),
            )
            wanted = {"cam/1": "Bella", "cam/2": "cow-2", "cam/3": "cow-3"}
            await eventually(lambda: told(settings, found) == wanted, "erased and renamed")
        written = len([r for r in found if (r.key or b"").startswith(b"entry:")])
        again = forgotten(settings)
        async with running(lambda stop: run(Runtime(again, metrics, health), stop)):
            await eventually(lambda: asked() == 4 + 2 + 4, "all is asked for once more")
            await eventually(
                lambda: _count(metrics, "perennial_commands_overtaken_total") >= 4,
                "the repeats are passed over",
            )
            await in_redis(settings, fold_of(settings, found))
    assert told(settings, found) == wanted
    assert len([r for r in found if (r.key or b"").startswith(b"entry:")]) == written


def _count(metrics: Metrics, name: str) -> float:
    return sum(
        sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if sample.name == name
    )
