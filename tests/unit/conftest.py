"""Fixtures of the unit tests."""

from collections.abc import Iterator

import pytest

from tests.environment import default_settings


@pytest.fixture(scope="module", autouse=True)
def torch_computes() -> Iterator[None]:
    """Let torch compute: small models are not worth an export and a measurement each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_RUNTIME", "torch")
        yield


@pytest.fixture
def event_files_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Number TensorBoard's files from 0 again, as a new process does.

    They are read in the order of their names, which are second, process and number: a test that
    opens numbers 9 and 10 within one second would be read backwards.
    """
    from tensorboard.summary.writer import event_file_writer  # here, since its import is slow

    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(0))


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the settings' defaults and one thread, and leave the threads as they were."""
    import torch  # here, since its import is slow

    default_settings(monkeypatch)
    monkeypatch.setenv("PERENNIAL_THREADS", "1")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
