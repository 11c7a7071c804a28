import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.demo.run import Ahead, in_time_order, photographs, rendered
from schemas.errors import SetupError
from tests.unit.demo_events import START, frame


def test_the_rendered_year_is_in_time_order_and_loads() -> None:
    frames = list(rendered(6, 3, seed=1))
    moments = [f.captured_at for f in frames if f.captured_at is not None]
    assert len(moments) == 6
    assert moments == sorted(moments)
    assert {f.load()[:2] for f in frames} == {b"\xff\xd8"}
    assert all(f.label and f.content_type == "image/jpeg" for f in frames)


def test_frames_without_a_time_come_last_in_the_order_given() -> None:
    timeless = [replace(frame(n), captured_at=None) for n in (8, 2)]
    ordered = in_time_order([timeless[0], frame(3), timeless[1], frame(1)])
    assert [f.id for f in ordered] == ["f1", "f3", "f8", "f2"]
    assert ordered[0].captured_at is not None
    assert ordered[0].captured_at > START


def manifest(folder: Path, *lines: str) -> Path:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (folder / name).write_bytes(name.encode())
    path = folder / "manifest.csv"
    path.write_text("\n".join(["path,label,captured_at,season", *lines]) + "\n")
    return path


def test_photographs_are_limited_after_sorting(tmp_path: Path) -> None:
    path = manifest(
        tmp_path, "a.jpg,oak,,winter", "b.jpg,elm,2025-02-01,winter", "c.jpg,fir,2025-01-01,"
    )
    frames, total = photographs(path, 2)
    assert total == 2
    assert [(f.label, f.load()) for f in frames] == [("fir", b"c.jpg"), ("elm", b"b.jpg")]


def test_a_photograph_named_twice_is_streamed_once(tmp_path: Path) -> None:
    _, total = photographs(manifest(tmp_path, "a.jpg,oak,,", "a.jpg,oak,,"), None)
    assert total == 1


def test_an_empty_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no image"):
        photographs(manifest(tmp_path), None)


async def test_ahead_yields_everything_in_order() -> None:
    source = Ahead(range(7), depth=3)
    assert [number async for number in source] == list(range(7))
    source.close()


async def test_ahead_is_a_bounded_number_of_items_ahead() -> None:
    made: list[int] = []
    caught_up = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if len(made) == 5:
                caught_up.set()
            yield number

    source = Ahead(numbers(), depth=4)
    iterator = aiter(source)
    assert await anext(iterator) == 0
    assert caught_up.wait(5)
    source.close()
    assert made == [0, 1, 2, 3, 4]


async def test_ahead_passes_on_what_goes_wrong() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise SetupError("no such file")

    source = Ahead(broken(), depth=2)
    with pytest.raises(SetupError, match="no such file"):
        _ = [number async for number in source]
    source.close()
