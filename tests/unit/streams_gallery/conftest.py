"""A gallery agent on a topic and an index in memory."""

from pathlib import Path

import pytest

from schemas.metrics import Metrics
from tests.conditionings import conditioning, saved
from tests.fake_log import FakeConditionings, FakeLog
from tests.unit.streams_gallery.agent import FragileIndex, Make, maker


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def index() -> FragileIndex:
    return FragileIndex()


@pytest.fixture
def conditionings() -> FakeConditionings:
    return FakeConditionings()


@pytest.fixture
def make(
    log: FakeLog, index: FragileIndex, metrics: Metrics, conditionings: FakeConditionings
) -> Make:
    return maker(log, index, metrics, conditionings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A conditioning by light: day is c0, night c1."""
    saved(tmp_path / "light", conditioning(4))
    return tmp_path / "light"
