"""Reading a record into a job: what is wrong is noted, never raised."""

from datetime import UTC, datetime

import numpy as np
import pytest

from recognition.quality import ImageQuality
from schemas.background import Declaration
from schemas.records import Headers, Record
from workers.images.measured import as_told
from workers.service.job import Image, now_ms, read_job

DECLARED = Declaration.model_validate(
    {
        "variables": {
            "season": {"type": "nominal", "values": ["summer", "winter"]},
            "hour": {"type": "cyclic", "period": 24, "derived": "hour"},
        }
    }
)

ROUNDING_MS = 0.001


def record(*headers: tuple[str, bytes], value: bytes = b"image", timestamp_ms: int = 0) -> Record:
    return Record("frames", b"cam-1", value, tuple(headers), 0, 7, timestamp_ms)


def test_background_is_checked_and_completed() -> None:
    time = ("ce_time", b"2025-06-01T18:30:00+00:00")
    job = read_job(record(("background", b'{"season": "summer"}'), time), DECLARED)
    assert job.problem is None
    assert job.background == {"season": "summer", "hour": 18.5}
    assert read_job(record(("background", b'{"any": 1}')), None).background == {"any": 1}


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ((("background", b'{"moon": "full"}'),), "unknown_variable"),
        ((("background", b'{"season": "monsoon"}'),), "bad_variable"),
        ((("background", b'{"season": NaN}'),), "bad_background"),
        ((("regions", b"[1]"),), "bad_regions"),
    ],
)
def test_a_problem_is_noted(headers: Headers, reason: str) -> None:
    job = read_job(record(*headers), DECLARED)
    assert job.problem is not None
    assert job.problem.reason == reason
    assert job.stage == "parse"


def test_what_nobody_foresaw_is_a_problem_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.service.job.read_frame", lambda _: 1 // 0)
    job = read_job(record(), None)
    assert job.problem is not None
    assert job.problem.reason == "unreadable_frame"


def test_timings() -> None:
    published = int(now_ms()) - 5000
    job = read_job(record(timestamp_ms=published), None)
    assert 5000 <= job.timings_ms["fetch"] <= now_ms() - published + ROUNDING_MS
    ahead = read_job(record(timestamp_ms=int(now_ms()) + 60_000), None)
    assert ahead.timings_ms["fetch"] == 0, "the publisher's clock may be ahead"


def test_embeddings_of_a_frame_and_of_a_region() -> None:
    vector = np.array([1, 0], np.float32)
    pixels = np.zeros((4, 4, 3), np.uint8)
    boxes = (
        b'[{"x": 0, "y": 1, "width": 2, "height": 3}, {"x": 1, "y": 1, "width": 2, "height": 2}]'
    )
    job = read_job(record(("ce_id", b"f-1"), ("regions", boxes)), None)
    assert job.frame is not None
    job.timings_ms["decode"] = 3.0
    before = now_ms()
    quality = ImageQuality(sharpness=0.03125, size=48, dark=0.1, bright=0.2)
    image = Image(job, job.frame, None, pixels, quality, 100.0)
    whole = image.embedding(vector, "m@1", 105.0, 125.0)
    assert (whole.event_id, whole.region, whole.source) == ("cam-1/f-1", None, "cam-1")
    assert whole.captured_at == datetime.fromtimestamp(0, UTC)
    assert whole.timings_ms["decode"] == 3
    assert whole.timings_ms["wait"] == 5
    assert whole.timings_ms["forward"] == 20
    assert before - ROUNDING_MS <= whole.timings_ms["sent_at"] <= now_ms() + ROUNDING_MS
    assert whole.quality == as_told(quality)
    image = Image(job, job.frame, 1, pixels, quality, 100.0)
    second = image.embedding(vector, "m@1", 105.0, 125.0)
    assert second.event_id == "cam-1/f-1#1"
    assert second.region == job.frame.regions[1]
