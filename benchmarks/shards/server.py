"""The Redis that is measured: where it is, what it is, and how long it was busy searching."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from redis.asyncio import Redis
from redis.utils import HIREDIS_AVAILABLE

from infra.local.embedded import EmbeddedRedis
from infra.local.processes import sigterm_unwinds


@contextmanager
def address(named: str | None) -> Iterator[str]:
    """Return the URL of the named Redis, or of an embedded one that lives as long as the block."""
    with sigterm_unwinds():
        if named is not None:
            yield named
            return
        with TemporaryDirectory(prefix="perennial-") as folder, EmbeddedRedis(Path(folder)) as own:
            yield own.address


class Server:
    """What Redis says about itself, asked on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, protocol=3)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._redis.aclose()

    async def versions(self) -> str:
        """Return the versions of Redis and its search module, and who parses its answers."""
        redis = (await self._redis.info("server"))["redis_version"]
        modules = await self._redis.execute_command("MODULE", "LIST")
        search = [module[b"ver"] for module in modules if module[b"name"] == b"search"]
        parser = "hiredis" if HIREDIS_AVAILABLE else "Python"
        module = search[0] if search else "unknown"
        return f"Redis {redis}, search module {module}, answers parsed by {parser}"

    async def search_seconds(self) -> float:
        """Return how long it has spent in FT.SEARCH since it started, whoever asked.

        Searches that it hands to threads of its own (``WORKERS`` above 0) are not in it.
        """
        found = (await self._redis.info("commandstats")).get("cmdstat_FT.SEARCH", {"usec": 0})
        return float(found["usec"]) / 1e6

    async def busy_seconds(self) -> float:
        """Return the processor time that it has used since it started, whatever it did."""
        found = await self._redis.info("cpu")
        return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])

    async def algorithms(self, prefix: str) -> str:
        """Return the algorithm of the vector indexes below the prefix; all, where they differ."""
        names = [name.decode() for name in await self._redis.execute_command("FT._LIST")]
        infos = [
            await self._redis.execute_command("FT.INFO", name)
            for name in names
            if name.startswith(prefix)
        ]
        return " + ".join(sorted({info[b"attributes"][0][b"algorithm"].decode() for info in infos}))
