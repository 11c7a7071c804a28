"""Worker and streams log in by tokens, and by certificates of their own, and do their work."""

from pathlib import Path
from typing import Any

import pytest

from access.rights import Role
from client.access import check_access
from client.admin import create_topics
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.runtime import Runtime
from schemas.settings import Settings, load_settings
from schemas.topics import HUMAN_REVIEW
from streams.app import run
from tests.secured.services import SecuredServices
from tests.secured.session import NO_GOODBYE
from tests.secured.ways import way
from tests.services.kafka import collecting, eventually, put, running
from tests.services.test_worker import frame, quick

pytestmark = [
    pytest.mark.apache_broker("it needs Java and Maven"),
    pytest.mark.filterwarnings(NO_GOODBYE),
]


def deployment(secured: SecuredServices, name: str, folder: Path) -> tuple[Settings, Settings]:
    """Return the settings of whoever may do anything, and those of one user for both services."""
    prefix = f"{name.lower()}."
    admin = load_settings(**secured.admin, topic_prefix=prefix, worker_port=0, streams_port=0)
    create_topics(admin)
    user = secured.as_role(admin, Role.STREAMS, Role.WORKER)
    by_name = way(secured, name, folder, Role.STREAMS)
    login: dict[str, Any] = {
        key: getattr(settings, key)
        for settings, part in ((user, "redis_"), (by_name, "kafka_"))
        for key in settings.model_fields_set
        if key.startswith(part)
    }
    return admin, load_settings(**login, topic_prefix=prefix, worker_port=0, streams_port=0)


@pytest.mark.parametrize("name", ["OAUTHBEARER", "certificate"])
async def test_a_frame_goes_all_the_way(
    secured: SecuredServices, name: str, tmp_path: Path, metrics: Metrics, health: Health
) -> None:
    admin, own = deployment(secured, name, tmp_path)
    assert own.kafka_security_password is None
    check_access(own, Role.STREAMS, Role.WORKER)
    async with (
        quick(own),
        running(lambda stop: run(Runtime(own, metrics, health), stop)),
        collecting(admin, HUMAN_REVIEW) as asked,
    ):
        await put(admin, [frame(admin, number) for number in range(8)])
        await eventually(lambda: len(asked) >= 8, "each frame has its question", within_s=120)
