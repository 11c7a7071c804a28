"""The benchmark of counting the shards: a tiny run on a real Redis."""

import json

import pytest
from redis import Redis

from benchmarks.counting import __main__ as counting
from infra.local.embedded import Services


def test_a_tiny_run_compares_both_and_leaves_nothing_behind(
    stack_services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERENNIAL_REDIS_URL", stack_services.redis)
    counting.main(entries=200, dimension=8, rounds=1, seconds=0, as_json=True)
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["shards"], row["batch"]) for row in rows] == [
        (shards, batch) for shards in (1, 16, 64) for batch in (1, 32)
    ]
    assert all(min(row["rate"], row["unchecked"], row["time"], row["work"]) > 0 for row in rows)
    with Redis.from_url(stack_services.redis) as client:
        assert client.keys("bench-*") == []
