"""The secured services of this run of the tests, where ``--secured`` asked for them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from access.rights import Role
from schemas.settings import Settings
from tests.secured.services import SecuredServices

NO_GOODBYE = (
    r"ignore:unclosed (transport <(_Selector|asyncio\._SSL)|<socket\.socket):ResourceWarning"
)
"""The filter for a connection that was closed before TLS had said goodbye, and whose loop ended.

aiokafka does not wait for it; and of a handshake that breaks off, asyncio closes only the socket
below. A connection of aiokafka's that was not closed at all is told of in other words.
"""

NO_REDIS_LOGIN: Mapping[str, None] = MappingProxyType(
    dict.fromkeys(("redis_username", "redis_password", "redis_ca"))
)
"""What differs in the settings for a Redis that a test starts for itself: it has no users."""

_ROLES: Mapping[str, tuple[Role, ...]] = MappingProxyType(
    {
        "worker": (Role.WORKER,),
        "streams": (Role.STREAMS,),
        "publish": (Role.PUBLISHER, Role.WATCHER),
        "watch": (Role.WATCHER, Role.CURATOR),  # the gallery, too
        **dict.fromkeys(("review", "gallery", "enrol", "activate", "whatif"), (Role.CURATOR,)),
        **dict.fromkeys(("topics", "doctor"), (Role.OPERATOR,)),
    }
)
_running: list[SecuredServices] = []


@contextmanager
def in_use(services: SecuredServices) -> Iterator[SecuredServices]:
    """Let tests use these services as long as the block lasts."""
    _running.append(services)
    try:
        yield services
    finally:
        _running.remove(services)


def in_session() -> SecuredServices | None:
    """Return the services that this run of the tests is on, if they are secured."""
    return _running[0] if _running else None


def admin(beginning: str = "") -> dict[str, Any]:
    """Return the settings, those that begin so, of the tests' own hand, which may do anything."""
    settings = _running[0].admin if _running else {}
    return {name: value for name, value in settings.items() if name.startswith(beginning)}


def as_stranger(settings: Settings) -> Settings:
    """Return the settings of a client that is not ours and may only publish."""
    return _running[0].as_stranger(settings) if _running else settings


def as_user(settings: Settings, command: str) -> Settings:
    """Return the settings under which a command is run: of a user with just the rights for it.

    Settings of other services than the secured ones stay as they are, those of a Redis too.
    """
    if not _running or settings.kafka_bootstrap_servers != _running[0].kafka.address:
        return settings
    if command in _ROLES:
        user = _running[0].as_role(settings, *_ROLES[command])
    else:
        user = _running[0].as_owner(settings)
    if settings.redis_url == user.redis_url:
        return user
    own = {name: getattr(settings, name) for name in ("redis_url", *NO_REDIS_LOGIN)}
    return user.model_copy(update=own)
