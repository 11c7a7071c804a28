"""What-if and a dry run of activate, on a real broker whose topics hold the stored embeddings."""

import asyncio

import pytest

from schemas.settings import Settings
from streams.index.base import GalleryState
from streams.index.redis import RedisIndex
from tests.golden.conftest import Command, Golden
from tests.golden.stored import CONDITIONING
from tests.golden.topics import records
from tests.services.kafka import put

WHERE = frozenset({"uri"})
"""Where the artefact lies is of this machine; its version is compared."""


@pytest.fixture(autouse=True)
def deployed(settings: Settings, fixed_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Topics that are full, an index that is plain, and their addresses in the environment."""
    asyncio.run(put(settings, records(settings)))
    asyncio.run(_write_index(settings))
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", settings.need_kafka())
    monkeypatch.setenv("PERENNIAL_REDIS_URL", settings.need_redis())
    monkeypatch.setenv("PERENNIAL_TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("PERENNIAL_TARGET_FPIR", "0.05")


def test_whatif(command: Command, golden: Golden) -> None:
    fpirs = ("--fpir", 0.01, "--fpir", 0.2)
    # `unlike` tells that this index holds nothing.
    golden("whatif_plain", command("whatif", *fpirs), without=frozenset({"unlike"}))
    golden("whatif", command("whatif", "--conditioning", CONDITIONING, *fpirs), without=WHERE)


def test_activate_dry_run(command: Command, golden: Golden) -> None:
    said = command("activate", CONDITIONING, "--dry-run")
    golden("activate", said, without=WHERE | {"unlike"})


async def _write_index(settings: Settings) -> None:
    index = RedisIndex.connect(
        settings.need_redis(),
        prefix=settings.topic_prefix,
        hnsw_above=settings.hnsw_above,
        timeout_s=settings.redis_timeout_s,
    )
    try:
        await index.write([], [], GalleryState(epoch="golden", position=0, models={}))
    finally:
        await index.close()
