"""Killed at any byte, resumed at any step: the history is that of the steps before."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workers.training.history import append_history, cut_history, read_history

FIGURES = st.dictionaries(st.text(min_size=1).filter(lambda name: name != "step"), st.floats(-9, 9))


@given(st.lists(FIGURES, max_size=8), st.integers(0, 400), st.integers(0, 9))
def test_a_killed_run_that_goes_on_has_the_history_of_an_unbroken_one(
    logged: list[dict[str, float]], killed: int, checkpoint: int
) -> None:
    unbroken = [figures | {"step": step} for step, figures in enumerate(logged, start=1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.jsonl"
        for figures in unbroken:
            append_history(path, figures)
        written = path.read_bytes() if unbroken else b""
        path.write_bytes(written[:killed])
        whole = len(written[:killed].splitlines(keepends=True))
        whole -= killed < len(written) and not written[:killed].endswith(b"\n") and killed > 0
        resumed = min(checkpoint, whole)
        cut_history(path, resumed)
        for figures in unbroken[resumed:]:
            append_history(path, figures)
        assert read_history(path) == unbroken
        assert path.read_bytes() == written
