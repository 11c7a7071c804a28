"""PERENNIAL_VIEWS: whoever loads the model for a deployment takes the same views."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from client.doctor import examine
from client.enrol import EnrolCommands
from client.names import Outgoing
from schemas.choices import Device, Views
from schemas.gallery import Enrol
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.runtime import Runtime
from schemas.settings import Settings
from tests.pictures import encode
from tests.unit.tiny_models import write_tiny
from workers.model.model import EmbeddingModel
from workers.service import embedder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    model = write_tiny(tmp_path / "tiny")
    return Settings(
        model=model, device=Device.CPU, views=Views.FLIP, kafka_bootstrap_servers="127.0.0.1:1"
    )


async def test_the_worker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[EmbeddingModel] = []

    async def serve(model: EmbeddingModel, *_: object) -> None:
        served.append(model)

    monkeypatch.setattr(embedder, "serve", serve)
    metrics = Metrics(CollectorRegistry())
    await embedder.run(Runtime(settings, metrics, Health(metrics)), asyncio.Event())
    assert served[0].version.endswith("+flip")


def test_enrolment(settings: Settings) -> None:
    image = encode(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8), "PNG")
    frame = Outgoing("f1", "cam", None, {}, "Bella", "image/png", lambda: image)
    refused: dict[str, str] = {}
    made = EnrolCommands(settings, "cli", "test").of([frame], refused)
    assert refused == {}
    action = made["cam/f1"].action
    assert isinstance(action, Enrol)
    assert action.model.endswith("+flip")
    assert action.vector.shape == (8,)


def test_the_doctor(settings: Settings) -> None:
    found = {finding.name: finding for finding in examine(settings)}
    assert "+flip, 8 numbers" in found["model"].detail
