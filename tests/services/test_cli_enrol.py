"""Enrolling with the real model; the gallery agent is played by the test."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from lab.images.manifest import from_directory
from schemas.gallery import Enrol, GalleryCommand, GalleryEntry
from schemas.records import Record
from schemas.settings import Settings, load_settings
from schemas.topics import (
    GALLERY,
    GALLERY_COMMANDS,
)
from tests.pictures import photograph
from tests.services.commands import Run, photographs, records
from tests.services.kafka import collecting, eventually, put


async def test_enrol_waits_until_the_gallery_holds_the_images(
    settings: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    photographs(tmp_path, "broken.jpg", "nameless.jpg")
    taken = {"DateTimeOriginal": "2025:01:01 06:00:00"}
    (tmp_path / "photos" / "a.jpg").write_bytes(photograph("JPEG", **taken))
    assert cv2.imwrite(str(tmp_path / "photos" / "b.png"), pixels)
    manifest = tmp_path / "photos" / "manifest.csv"
    manifest.write_text(
        "path,label,captured_at,season\na.jpg,Bella,,winter\n"
        "broken.jpg,Ida,,\nnameless.jpg,,,\nb.png,Ida,,monsoon\n"
    )
    declaration = tmp_path / "variables.yaml"
    declaration.write_text(
        "variables:\n  season: {type: nominal, values: [winter, summer]}\n"
        "  hour: {type: cyclic, period: 24, derived: hour}\n"
    )
    monkeypatch.setenv("PERENNIAL_VARIABLES", str(declaration))

    async def gallery_agent(asked: list[Record]) -> None:
        await eventually(lambda: len(asked) == 1, "a command")
        command = GalleryCommand.read(asked[0])
        assert isinstance(command.action, Enrol)
        held = command.action.model_dump(exclude={"action"})
        entered = GalleryEntry(
            **held, identity=command.identity, cluster="all", actor="cli", reason=command.reason
        )
        await put(settings, records(settings, GALLERY, entered))

    async with collecting(settings, GALLERY_COMMANDS) as asked:
        agent = asyncio.create_task(gallery_agent(asked))
        result = await asyncio.to_thread(run, "enrol", manifest, "--json")
        await agent
    assert result.exit_code == 1  # three were refused
    found = json.loads(result.stdout)
    assert (found["enrolled"], found["refused"], found["missing"]) == (1, 3, 0)
    assert "season='monsoon'" in found["why_refused"]["b.png"]
    assert found["why_refused"]["nameless.jpg"] == "it has no label"
    assert "refused broken.jpg" in result.stderr
    command = GalleryCommand.read(asked[0])
    (photo,) = from_directory(tmp_path / "photos" / "a.jpg")
    assert (command.id, command.identity) == (f"enrol-{photo.name}", "Bella")
    assert isinstance(command.action, Enrol)
    assert command.action.entry_id == photo.name
    assert command.action.background == {"season": "winter", "hour": 6.0}
    assert command.action.captured_at == datetime(2025, 1, 1, 6, tzinfo=UTC)
    assert command.action.model == load_model_version()
    assert abs(float(np.linalg.norm(command.action.vector)) - 1) < 1e-3
    assert command.action.quality is not None
    assert command.action.quality.size == 48


async def test_enrol_tells_when_nobody_takes_the_images(
    settings: Settings, run: Run, tmp_path: Path
) -> None:
    import cv2

    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), np.zeros((64, 64, 3), np.uint8))
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label\na.png,Bella\n")
    result = await asyncio.to_thread(run, "enrol", manifest, "--timeout", "1")
    assert result.exit_code == 1
    assert "enrolled 0 · refused 0 · missing 1" in result.stdout
    assert "is `perennial streams` running?" in " ".join(result.stderr.split())


def load_model_version() -> str:
    from workers.model.model import load_model

    return load_model(load_settings()).version
