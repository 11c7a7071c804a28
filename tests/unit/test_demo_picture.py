import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from client.follow import Outcome
from infra.demo.ledger import Ended, FrameVerdict, Ledger, verdict
from infra.demo.picture import captions, save
from tests.unit.demo_events import frame, outcome


def ended(said: Outcome, label: str | None = "oak") -> Ended:
    return Ended(0, frame(0, label, season="winter", hour=7.0), said, verdict(label, said))


def photograph(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#204060").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("said", "label", "expected"),
    [
        (outcome(0, "identified"), "oak", ("oak", "distance 0.200 < 0.300")),
        (outcome(0, "identified", "elm"), "oak", ("oak", "taken for elm, distance 0.200 < 0.300")),
        (outcome(0, "review", distance=0.4), "oak", ("oak", "distance 0.400 > 0.300")),
        (outcome(0, "review", threshold=None), "oak", ("oak", "distance 0.200, no threshold yet")),
        (outcome(0, "review", distance=None), "oak", ("oak", "the gallery held nothing")),
        (outcome(0, "dead"), "oak", ("oak", "not embedded")),
        (outcome(0, "review"), None, ("no label", "distance")),
    ],
)
def test_captions(said: Outcome, label: str | None, expected: tuple[str, str]) -> None:
    who, measured, conditions = captions(ended(said, label))
    assert who == expected[0]
    assert measured.startswith(expected[1])
    assert conditions == "10 Apr 2025, 00:00 · winter"


def test_each_tile_is_framed_in_the_colour_of_its_outcome(tmp_path: Path) -> None:
    row = [ended(outcome(0, "identified")), ended(outcome(0, "identified", "elm"))]
    row = [replace(e, frame=replace(e.frame, load=lambda: photograph(40, 90))) for e in row]
    save(tmp_path / "sheet.png", [row, row[:1]], Ledger(4).whole(), "a title")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
        colours = sheet.convert("RGB").getcolors(1_000_000)
    areas = {colour: count for count, colour in colours or []}
    green, red, blue = (63, 181, 107), (229, 72, 77), (32, 64, 96)
    assert areas[green] > 1.8 * areas[red] > 0
    assert areas[blue] > 3 * 240 * 240 * 40 / 90 * 0.8


@pytest.mark.parametrize("image", [b"", b"no image at all", photograph(8, 8)[:40]])
def test_what_is_no_image_is_drawn_as_a_dark_tile(tmp_path: Path, image: bytes) -> None:
    dead = ended(outcome(0, "dead"))
    assert dead.verdict is FrameVerdict.DEAD
    row = [replace(dead, frame=replace(dead.frame, load=lambda: image))]
    save(tmp_path / "sheet.png", [row], Ledger(1).whole(), "a title")
    assert (tmp_path / "sheet.png").stat().st_size > 0


def test_an_album_without_frames_is_still_a_picture(tmp_path: Path) -> None:
    save(tmp_path / "sheet.png", [], Ledger(0).whole(), "a title")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 300
