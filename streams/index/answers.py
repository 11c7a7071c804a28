"""What Redis's failures mean to us."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError, ResponseError

from schemas.errors import DependencyDown


@contextmanager
def answers() -> Iterator[None]:
    """Turn every way in which Redis can fail to answer into ``DependencyDown``."""
    try:
        yield
    except ResponseError as error:
        raise DependencyDown("redis", f"refused: {error}") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise DependencyDown("redis", f"{type(error).__name__}: {error}") from error
