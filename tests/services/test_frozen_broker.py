"""The whole way of a frame while the broker does not answer for a while."""

import asyncio
from pathlib import Path

from client.admin import create_topics
from schemas.settings import load_settings
from tests.services.hostile import photograph
from tests.services.kafka import collecting, eventually, put
from tests.services.own import own_services
from tests.services.processes import process
from tests.services.test_conservation import OUTCOMES, frame, outcomes

FROZEN_S = 8  # longer than a group's session


async def test_a_broker_that_freezes_under_load_loses_no_frame(
    tmp_path: Path, light_model: Path
) -> None:
    with own_services(tmp_path) as own:
        settings = load_settings(
            kafka_bootstrap_servers=own.kafka,
            redis_url=own.redis,
            worker_port=0,
            streams_port=0,
            model=light_model,
        )
        create_topics(settings)
        assert own.broker is not None
        frames = [frame(settings, f"f-{i:04}", photograph(i % 20)) for i in range(600)]
        with (
            process(settings, tmp_path / "worker.log", "worker") as worker,
            process(settings, tmp_path / "streams.log", "streams") as streams,
        ):
            async with collecting(settings, *OUTCOMES) as found:
                await put(settings, frames[:400])
                await eventually(
                    lambda: len(outcomes(settings, found)) > 40, "it is at work", within_s=120
                )
                own.broker.pause()
                await asyncio.sleep(FROZEN_S)
                own.broker.resume()
                assert len(outcomes(settings, found)) < 400, "it froze while there was work"
                await put(settings, frames[400:])
                await eventually(
                    lambda: len(outcomes(settings, found)) == 600, "nothing is lost", within_s=120
                )
            assert worker.alive
            assert streams.alive
