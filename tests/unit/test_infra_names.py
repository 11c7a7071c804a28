"""Names on the command line: ids of files, and what a person may write for an event name."""

from pathlib import Path

import pytest

from client.names import MAX_PATH, Outgoing, file_id, full_name, path_text
from lab.images.manifest import from_directory, labels_of, read_manifest
from schemas.codec import MAX_ID
from schemas.errors import SetupError
from schemas.event import event_name


def photograph(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


def only(frames: list[Outgoing]) -> Outgoing:
    (frame,) = frames
    return frame


def test_two_cards_of_one_camera_give_different_names(tmp_path: Path) -> None:
    """Both are put into the same slot, and both begin at the same number."""
    card = photograph(tmp_path / "card", "DCIM/IMG_0001.jpg", b"Bella")
    first = only(from_directory(card, "north")).name
    photograph(card, "DCIM/IMG_0001.jpg", b"Ida")
    assert only(from_directory(card, "north")).name != first


def test_the_same_photograph_has_one_name_wherever_it_lies(tmp_path: Path) -> None:
    here, there = (
        only(from_directory(photograph(tmp_path / folder, "a/1.jpg", b"Bella"), "north")).name
        for folder in ("here", "there")
    )
    assert here == there == event_name("north", file_id("a/1.jpg", b"Bella"))


def test_one_photograph_of_two_cameras_is_two_frames(tmp_path: Path) -> None:
    folder = photograph(tmp_path, "1.jpg", b"Bella")
    assert only(from_directory(folder, "north")).name != only(from_directory(folder, "south")).name


def test_a_file_is_read_for_its_id_only_when_that_is_asked_for(tmp_path: Path) -> None:
    frame = only(from_directory(photograph(tmp_path, "1.jpg", b"Bella"), "north"))
    (tmp_path / "1.jpg").unlink()
    assert frame.given_id == "1.jpg"
    with pytest.raises(FileNotFoundError):
        _ = frame.id


def test_a_file_name_in_latin_1_becomes_text(tmp_path: Path) -> None:
    name = b"caf\xe9.jpg"
    (tmp_path / Path(name.decode(errors="surrogateescape"))).write_bytes(b"x")
    frame = only(from_directory(tmp_path, "north"))
    assert frame.given_id == r"caf\xe9.jpg"
    assert frame.name.encode()


def test_the_longest_path_makes_an_id_that_is_taken() -> None:
    assert len(file_id("x" * MAX_PATH, b"")) == MAX_ID
    assert path_text(Path("a") / "b.jpg") == "a/b.jpg"


NORTH = event_name("north", file_id("0412.jpg", b"1"))
SOUTH = event_name("south", file_id("0412.jpg", b"2"))
REGION = event_name("south", "x/y#z.jpg", 1)
NAMES = [NORTH, SOUTH, REGION, event_name("0413.jpg", "a"), event_name("cli", "0413.jpg/a")]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (NORTH, NORTH),
        (file_id("0412.jpg", b"2"), SOUTH),
        ("x/y#z.jpg#1", REGION),
        ("south/0412.jpg", SOUTH),  # as one would write it: no mark of the content
        ("south/x/y#z.jpg#1", REGION),
        ("0413.jpg/a", "0413.jpg/a"),  # a whole name, and the bare id of another
    ],
)
def test_a_bare_id_is_taken_where_it_is_unique(given: str, name: str) -> None:
    assert full_name(given, NAMES, "item") == name


def test_an_id_of_several_lists_them() -> None:
    with pytest.raises(SetupError, match=f"'0412.jpg' is several: {NORTH}, {SOUTH}; write one"):
        full_name("0412.jpg", NAMES, "item")
    many = [event_name(f"cam-{n:02}", "a") for n in range(30)]
    with pytest.raises(SetupError, match="cam-09/a and 20 more"):
        full_name("a", many, "item")


def test_an_id_of_none_is_refused() -> None:
    with pytest.raises(SetupError, match="no item '0412'"):
        full_name("0412", NAMES, "item")


def test_labels_are_found_by_what_publish_and_what_others_call_a_frame(tmp_path: Path) -> None:
    photograph(tmp_path, "a.jpg", b"Bella")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label,source\na.jpg,Bella,\ngone.jpg,Ida,gate\nc.jpg,,\n")
    assert labels_of(read_manifest(manifest), "cli") == {
        "cli/a.jpg": "Bella",
        event_name("cli", file_id("a.jpg", b"Bella")): "Bella",
        "gate/gone.jpg": "Ida",
    }
