from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from client.names import Outgoing
from lab.images import manifest
from lab.images.manifest import (
    ManifestRow,
    from_directory,
    from_manifest,
    read_manifest,
    read_value,
)
from schemas.errors import SetupError
from schemas.topics import FRAMES


def written(folder: Path, text: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return path


def row(folder: Path, **changes: object) -> ManifestRow:
    path = folder / "a.jpg"
    path.write_bytes(b"bytes")
    values: dict[str, object] = {
        "id": "a.jpg",
        "path": path,
        "label": "Bella",
        "captured_at": None,
        "source": None,
        "background": {},
    }
    return ManifestRow(**{**values, **changes})  # type: ignore[arg-type]  # spelled out above


def test_a_manifest_becomes_rows(tmp_path: Path) -> None:
    text = (
        "path,label,captured_at,season,hour,camera\n"
        "north/1.jpg,Bella,2025-04-01T09:32:14,winter,9.53,cam-3\n"
        'south/2.png,"Ida, the old",2025-04-01T09:32:14+02:00,,7,\n'
    )
    first, second = read_manifest(written(tmp_path, text))
    assert first == ManifestRow(
        id="north/1.jpg",
        path=tmp_path / "north/1.jpg",
        label="Bella",
        captured_at=datetime(2025, 4, 1, 9, 32, 14, tzinfo=UTC),
        source="cam-3",
        background={"season": "winter", "hour": 9.53, "camera": "cam-3"},
    )
    assert second.label == "Ida, the old"
    assert second.captured_at == datetime(
        2025, 4, 1, 9, 32, 14, tzinfo=timezone(timedelta(hours=2))
    )
    assert second.source is None
    assert second.background == {"hour": 7}


def test_empty_values_are_left_out(tmp_path: Path) -> None:
    (only,) = read_manifest(written(tmp_path, "path,label,captured_at,season\na.jpg,,,\n"))
    assert (only.label, only.captured_at, only.background) == (None, None, {})


def test_a_source_column_is_no_variable_and_wins_over_the_camera(tmp_path: Path) -> None:
    (only,) = read_manifest(written(tmp_path, "path,source,camera\na.jpg,gate,cam-1\n"))
    assert only.source == "gate"
    assert only.background == {"camera": "cam-1"}


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes("path\na.jpg\n".encode("utf-8-sig"))
    assert read_manifest(path)[0].id == "a.jpg"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-3", -3),
        ("9.53", 9.53),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("007", "007"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e999", "1e999"),
        ("e5", "e5"),
        (".", "."),
        ("2025-04-01", "2025-04-01"),
        ("winter", "winter"),
    ],
)
def test_what_counts_as_a_number(text: str, value: str | float) -> None:
    found = read_value(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("file,label\na.jpg,x\n", "no column 'path'"),
        ("", "no column 'path'"),
        ("path,label\na.jpg,x\n,y\n", "line 3: the path is empty"),
        ("path,captured_at\na.jpg,yesterday\n", "line 2: captured_at 'yesterday'"),
        ("path,label\na.jpg,x,y\n", "line 2: more values than the first line has columns"),
        (f"path,label\na.jpg,{'x' * 201}\n", "line 2: a label has 201 characters"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SetupError, match=complaint):
        read_manifest(written(tmp_path, text))


def test_a_missing_manifest_is_a_setup_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"nowhere\.csv"):
        read_manifest(tmp_path / "nowhere.csv")


def test_a_row_becomes_a_frame(tmp_path: Path) -> None:
    (frame,) = from_manifest([row(tmp_path, background={"season": "winter"})], "gate")
    assert (frame.given_id, frame.source, frame.label) == ("a.jpg", "gate", "Bella")
    assert frame.content_type == "image/jpeg"
    assert frame.load() == b"bytes"


def test_a_rows_own_source_and_variables_win(tmp_path: Path) -> None:
    own = row(tmp_path, source="cam-3", background={"season": "winter"})
    (frame,) = from_manifest([own], "gate", {"season": "summer", "herd": "A"})
    assert frame.source == "cam-3"
    assert frame.background == {"season": "winter", "herd": "A"}


def test_variables_that_are_not_wanted_stay_behind(tmp_path: Path) -> None:
    own = row(tmp_path, background={"season": "winter", "split": "train"})
    (frame,) = from_manifest([own], only={"season"})
    assert frame.background == {"season": "winter"}


def test_a_missing_file_is_found_before_anything_is_published(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"gone\.jpg.*nothing was published"):
        from_manifest([row(tmp_path, path=tmp_path / "gone.jpg")])


@pytest.mark.parametrize("source", ["", "s" * 301])
def test_a_source_that_the_worker_would_refuse_is_not_published(
    tmp_path: Path, source: str
) -> None:
    with pytest.raises(SetupError, match=r"source '.*' has .* it needs 1 to 300"):
        from_manifest([row(tmp_path)], source)


def test_a_path_that_is_too_long_for_an_id_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="it needs 1 to 267"):
        from_manifest([row(tmp_path, id="x" * 268)])


def test_a_file_larger_than_a_frame_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "_HEADERS_ROOM", FRAMES.max_bytes - 4)
    with pytest.raises(SetupError, match="a frame takes 25,165,824"):
        from_manifest([row(tmp_path)])


def test_a_folder_gives_its_photographs_in_order(tmp_path: Path) -> None:
    for name in ("b.JPG", "a/2.png", "a/1.webp", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    frames = from_directory(tmp_path, "gate", {"season": "winter"})
    assert [frame.given_id for frame in frames] == ["a/1.webp", "a/2.png", "b.JPG"]
    assert [frame.content_type for frame in frames] == ["image/webp", "image/png", "image/jpeg"]
    assert [frame.load() for frame in frames] == [b"a/1.webp", b"a/2.png", b"b.JPG"]
    assert {frame.source for frame in frames} == {"gate"}
    assert all(frame.background == {"season": "winter"} for frame in frames)


def test_one_file_is_a_frame_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(b"x")
    (frame,) = from_directory(path)
    assert isinstance(frame, Outgoing)
    assert (frame.given_id, frame.content_type) == ("photo", "application/octet-stream")


def test_a_folder_without_photographs_is_a_setup_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no photograph"):
        from_directory(tmp_path)
