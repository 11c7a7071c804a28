"""The tutorial, typed by a newcomer who does what it says."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from client.reviews import open_items
from client.service_pages import waiting_for
from schemas.settings import Settings, environment
from tests.services.hostile import photograph
from tests.services.kafka import eventually
from tests.services.test_readme import ROOT, TREES, blocks, entries, own_settings

__all__ = ["own_settings"]
PAGE = ROOT / "docs" / "tutorial.md"
PERENNIAL = f'perennial() {{ {sys.executable} -m infra.cli "$@"; }}\n'


def again(content: bytes) -> bytes:
    """Return the same thing, photographed from nearly the same place."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    height, width = picture.shape[:2]
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), 2, 1.03)
    moved = cv2.warpAffine(picture, turned, (width, height), borderMode=cv2.BORDER_REFLECT)
    return bytes(cv2.imencode(".jpg", moved)[1].tobytes())


def typed(code: str, settings: Settings, folder: Path) -> str:
    """Return what the commands of a block print; each must succeed."""
    run = subprocess.run(
        ["bash", "-euc", PERENNIAL + code],
        cwd=folder,
        env={**os.environ, **environment(settings), "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


async def test_the_tutorial_does_what_it_says(own_settings: Settings, tmp_path: Path) -> None:
    for name in ("photos", "more"):
        (tmp_path / name).mkdir()
    for seed, tree in enumerate(TREES):
        (tmp_path / "photos" / f"{tree}.jpg").write_bytes(photograph(seed))
        (tmp_path / "more" / f"{tree}-again.jpg").write_bytes(again(photograph(seed)))
    _, publish, listed, answer, stats, more, correct, *_ = blocks("sh", PAGE)

    addresses = [
        f"http://127.0.0.1:{port}" for port in (own_settings.worker_port, own_settings.streams_port)
    ]
    await eventually(
        lambda: all(waiting_for(address) is None for address in addresses),
        "both services are ready, as they are when `perennial up` says so",
        within_s=200,
    )

    def type_in(code: str) -> "asyncio.Future[str]":
        return asyncio.ensure_future(asyncio.to_thread(typed, code, own_settings, tmp_path))

    told = "published 8 · identified 0 · review 8 · dead 0 · lost 0"
    assert told in await type_in(publish)
    assert told in PAGE.read_text()
    assert "8 open" in await type_in(listed)
    await type_in(answer)
    await eventually(lambda: entries(addresses[1]) == len(TREES), "every answer is an entry")
    assert "active" in await type_in(stats)
    seen = await type_in(more)
    assert "published 8 · identified 8 · review 0" in seen
    assert seen.count("by a person") == len(TREES)
    assert await open_items(own_settings) == []
    assert "larch" in await type_in(correct)
