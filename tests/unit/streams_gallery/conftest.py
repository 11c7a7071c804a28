"""A gallery agent on a topic and an index in memory."""

import pytest

from schemas.metrics import Metrics
from tests.fake_log import FakeLog
from tests.unit.streams_gallery.agent import FragileIndex, Make, maker


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def index() -> FragileIndex:
    return FragileIndex()


@pytest.fixture
def make(log: FakeLog, index: FragileIndex, metrics: Metrics) -> Make:
    return maker(log, index, metrics)
