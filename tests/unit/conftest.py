"""Fixtures of the unit tests."""

import pytest


@pytest.fixture
def event_files_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Number TensorBoard's files from 0 again, as a new process does.

    They are read in the order of their names, which are second, process and number: a test that
    opens numbers 9 and 10 within one second would be read backwards.
    """
    from tensorboard.summary.writer import event_file_writer  # here, since its import is slow

    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(0))
