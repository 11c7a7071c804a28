"""The picture of what an item asks about, from the frames topic."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from client.reader import newest
from schemas.event import FramePosition, Region, event_name
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import FRAMES, HUMAN_REVIEW
from tests.pictures import encode, quarters
from tests.services.commands import Run, records
from tests.services.kafka import put
from tests.unit.infra_events import review_item
from workers.images.decode import Limits, decode

PHOTOGRAPH = encode(quarters())


async def published(settings: Settings, names: Sequence[str], value: bytes) -> list[FramePosition]:
    """Publish frames of one camera; return where they lie, in order."""
    topic = settings.topic(FRAMES)
    headers = [(("ce_source", b"cam 1"), ("ce_id", name.encode())) for name in names]
    await put(settings, [Record(topic, b"cam 1", value, own) for own in headers])
    found = await newest(settings, FRAMES, len(names))
    places = {record.header("ce_id"): record for record in found}
    at = (places[name] for name in names)
    return [FramePosition(partition=record.partition, offset=record.offset) for record in at]


async def ask(settings: Settings, name: str, number: int | None = None, **about: object) -> str:
    """Put an item that asks about a frame, or a region of it."""
    event = event_name("cam 1", name, number)
    item = review_item(event, **{"region": None, **about})
    await put(settings, records(settings, HUMAN_REVIEW, item))
    return event


async def test_it_is_the_photograph_as_it_was_published(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    other, at = await published(settings, ["before", "2026/a"], PHOTOGRAPH)
    assert other != at
    event = await ask(settings, "2026/a", frame=at)
    asked = ("review", "picture", "2026/a", "--to", tmp_path, "--json")
    result = await asyncio.to_thread(run, *asked)
    assert result.exit_code == 0, result.output
    path = tmp_path / "cam_1_2026_a.jpg"
    assert json.loads(result.stdout) == {"event_id": event, "path": str(path)}
    assert path.read_bytes() == PHOTOGRAPH


async def test_of_a_region_it_is_the_box(settings: Settings, run: Run, tmp_path: Path) -> None:
    (at,) = await published(settings, ["a.jpg"], PHOTOGRAPH)
    box = Region(x=32, y=0, width=32, height=24)
    event = await ask(settings, "a.jpg", 1, frame=at, region=box)
    path = tmp_path / "green.jpg"
    result = await asyncio.to_thread(run, "review", "picture", event, "--to", path)
    assert (result.exit_code, result.stdout.strip()) == (0, str(path))
    pixels = decode(path.read_bytes(), Limits(10**6, 10**6))
    assert pixels.shape == (24, 32, 3)
    assert pixels.mean(axis=(0, 1)).argmax() == 1


async def test_what_is_no_image_is_handed_out_as_it_is(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    (at,) = await published(settings, ["a"], b"no image")
    await ask(settings, "a", frame=at)
    result = await asyncio.to_thread(run, "review", "picture", "a", "--to", tmp_path)
    assert result.exit_code == 0
    assert (tmp_path / "cam_1_a").read_bytes() == b"no image"


@pytest.mark.parametrize("gone", ["never there", "another one lies there", "no such partition"])
async def test_a_frame_that_is_gone_is_said_to_be(
    settings: Settings, run: Run, tmp_path: Path, gone: str
) -> None:
    (at,) = await published(settings, ["a"], PHOTOGRAPH)
    changed = {
        "never there": {"offset": at.offset + 1000},
        "another one lies there": {},
        "no such partition": {"partition": 10_000},
    }
    await ask(settings, "b", frame=at.model_copy(update=changed[gone]))
    result = await asyncio.to_thread(run, "review", "picture", "b", "--to", tmp_path)
    assert result.exit_code == 2
    assert "lies no more at partition" in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


async def test_who_cannot_tell_where_it_lies_says_so(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    await ask(settings, "old")
    result = await asyncio.to_thread(run, "review", "picture", "old", "--to", tmp_path)
    assert result.exit_code == 2
    assert "does not tell where its frame lies" in result.stderr
    claim = b'{"image_uri": "https://store/a.jpg"}'
    topic, own = settings.topic(FRAMES), (("ce_source", b"cam 1"), ("ce_id", b"far"))
    kind = ("content-type", b"application/json")
    await put(settings, [Record(topic, b"cam 1", claim, (*own, kind))])
    (record,) = await newest(settings, FRAMES, 1)
    await ask(
        settings, "far", frame=FramePosition(partition=record.partition, offset=record.offset)
    )
    result = await asyncio.to_thread(run, "review", "picture", "far", "--to", tmp_path)
    assert result.exit_code == 2
    assert "https://store/a.jpg" in result.stderr


async def test_a_folder_that_cannot_be_written_to_is_named(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    (at,) = await published(settings, ["a"], PHOTOGRAPH)
    await ask(settings, "a", frame=at)
    path = tmp_path / "nowhere" / "a.jpg"
    result = await asyncio.to_thread(run, "review", "picture", "a", "--to", path)
    assert result.exit_code == 2
    assert "No such file or directory" in " ".join(result.stderr.split())
