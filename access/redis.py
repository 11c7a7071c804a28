"""What a Redis client is told of server, user and certificates: the one place that knows."""

from collections.abc import Mapping
from typing import Any

from redis import CredentialProvider, Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import SSLConnection

from access.certificates import Certificates, renewed_context
from access.kafka import secret_in
from schemas.access import AccessSettings


class _User(CredentialProvider):
    """Our user; its password's file is read for each connection."""

    def __init__(self, settings: AccessSettings) -> None:
        self._settings = settings

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return the password, after the name if there is one."""
        settings = self._settings
        path, secret = settings.redis_password_file, settings.redis_password
        if path is not None:
            password = secret_in(path, "redis")
        else:
            password = "" if secret is None else secret.get_secret_value()
        name = settings.redis_username
        return (password,) if name is None else (name, password)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """Return the same."""
        return self.get_credentials()


class _RenewedConnection(SSLConnection):
    """Reads the certificates anew each time that it connects."""

    certificates: Certificates

    def _connection_arguments(self) -> Mapping[str, Any]:
        self.ssl_context.context = renewed_context(self.certificates)
        return super()._connection_arguments()


def redis_client(settings: AccessSettings, **options: Any) -> Redis:
    """Return a client for a short task; it connects when first used.

    Raises:
        SetupError: no Redis is named.
        ValueError: the URL is none.
    """
    return Redis.from_url(settings.need_redis(), **_user(settings), **_files(settings), **options)


def async_redis_client(settings: AccessSettings, **options: Any) -> AsyncRedis:
    """Return a client that may live for years; raises as :func:`redis_client` does."""
    client = AsyncRedis.from_url(
        settings.need_redis(), **_user(settings), **_files(settings), **options
    )
    pool = client.connection_pool
    if issubclass(pool.connection_class, SSLConnection):
        own = {"certificates": Certificates.of_redis(settings)}
        pool.connection_class = type("RenewedConnection", (_RenewedConnection,), own)
    return client


def _user(settings: AccessSettings) -> dict[str, Any]:
    named = (settings.redis_username, settings.redis_password, settings.redis_password_file)
    return {"credential_provider": _User(settings)} if any(named) else {}


def _files(settings: AccessSettings) -> dict[str, Any]:
    if not settings.need_redis().startswith("rediss://"):
        return {}
    files = {
        "ssl_ca_certs": settings.redis_ca,
        "ssl_certfile": settings.redis_certificate,
        "ssl_keyfile": settings.redis_key,
    }
    return {name: str(path) for name, path in files.items() if path is not None}
