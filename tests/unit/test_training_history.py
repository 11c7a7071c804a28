"""The figures of a run on disk: killed in the middle of a line, and cut for a resume."""

import json
import math
from pathlib import Path

import pytest

from schemas.errors import SetupError
from workers.training.history import append_history, cut_history, read_history, series

FIRST, SECOND = {"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25, "calibrate_tpir": 0.1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "metrics.jsonl"
    append_history(written, FIRST)
    append_history(written, SECOND)
    return written


def test_what_is_written_is_read(path: Path) -> None:
    assert read_history(path) == [FIRST, SECOND]


def test_a_run_without_a_file_has_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / "metrics.jsonl") == []
    cut_history(tmp_path / "metrics.jsonl", 5)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_a_torn_last_line_is_not_read_wherever_it_was_torn(path: Path) -> None:
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    for end in range(second, len(whole)):
        path.write_bytes(whole[:end])
        assert read_history(path) == [FIRST]


def test_the_next_write_removes_a_torn_line(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])
    append_history(path, {"step": 3})
    assert [json.loads(line) for line in path.read_text().splitlines()] == [FIRST, {"step": 3}]


def test_a_cut_drops_later_steps_and_a_torn_line(path: Path) -> None:
    with path.open("a") as file:
        file.write('{"step": 1')
    cut_history(path, 1)
    assert path.read_text() == json.dumps(FIRST) + "\n"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_figures_that_are_not_finite_are_null_on_disk_and_nan_here(path: Path) -> None:
    append_history(path, {"step": 3, "loss": math.inf})
    assert path.read_text().splitlines()[-1] == '{"step": 3, "loss": null}'
    assert math.isnan(read_history(path)[-1]["loss"])


@pytest.mark.parametrize("line", ["loss 3", "[1]", '{"loss": 1}', '{"step": "1"}'])
def test_a_whole_line_that_is_no_step_is_refused(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SetupError, match=r"metrics\.jsonl, line 3: not the figures of a step"):
        read_history(path)


def test_a_series_has_the_steps_that_logged_it(path: Path) -> None:
    history = read_history(path)
    assert series(history, "loss") == ([1, 2], [0.5, 0.25])
    assert series(history, "calibrate_tpir") == ([2], [0.1])
    assert series(history, "rank1") == ([], [])
