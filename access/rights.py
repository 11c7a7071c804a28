"""The least that each part may do on Kafka and Redis: the one list, which docs and tests follow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from schemas.settings import Settings
from schemas.topics import (
    CONDITIONING,
    DEAD_LETTERS,
    EMBEDDINGS,
    FRAMES,
    GALLERY,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
    TOPICS,
    Topic,
)


class Role(StrEnum):
    """What somebody does here; each may be a user of its own."""

    WORKER = "worker"
    STREAMS = "streams"
    PUBLISHER = "publisher"
    WATCHER = "watcher"
    CURATOR = "curator"
    OPERATOR = "operator"


class Operation(StrEnum):
    """What may be done, as Kafka calls it; Read and Write bring Describe along."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    ALTER_CONFIGS = "AlterConfigs"


class Resource(StrEnum):
    """What something is done to, as Kafka calls it."""

    TOPIC = "topic"
    GROUP = "group"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """That one operation is allowed on one topic or group."""

    resource: Resource
    name: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}"


@dataclass(frozen=True, slots=True)
class _Needs:
    """The topics that a role reads and writes, and those whose configuration it looks at."""

    reads: tuple[Topic, ...] = ()
    writes: tuple[Topic, ...] = ()
    looks_at: tuple[Topic, ...] = ()
    creates: tuple[Topic, ...] = ()


_EVERY = tuple(TOPICS.values())
_TO_SEE = (FRAMES, HUMAN_REVIEW)  # what is asked, and its picture
_TO_CURATE = (REVIEW_DECISIONS, GALLERY_COMMANDS, CONDITIONING)
_NEEDS: Mapping[Role, _Needs] = MappingProxyType(
    {
        # Services look at all topics before they start.
        Role.WORKER: _Needs((FRAMES,), (EMBEDDINGS, DEAD_LETTERS), _EVERY),
        Role.STREAMS: _Needs(
            (EMBEDDINGS, REVIEW_DECISIONS, GALLERY_COMMANDS, GALLERY, CONDITIONING),
            (IDENTIFICATIONS, HUMAN_REVIEW, GALLERY_COMMANDS, GALLERY, DEAD_LETTERS),
            _EVERY,
        ),
        # Producers look how large a record may be.
        Role.PUBLISHER: _Needs(writes=(FRAMES,), looks_at=(FRAMES,)),
        Role.WATCHER: _Needs((IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS)),
        Role.CURATOR: _Needs(
            (*_TO_SEE, REVIEW_DECISIONS, IDENTIFICATIONS, GALLERY, CONDITIONING, EMBEDDINGS),
            _TO_CURATE,
            _TO_CURATE,
        ),
        Role.OPERATOR: _Needs(looks_at=_EVERY, creates=_EVERY),
    }
)

DOES: Mapping[Role, str] = MappingProxyType(
    {
        Role.WORKER: "`perennial worker`",
        Role.STREAMS: "`perennial streams`, with or without `--only`",
        Role.PUBLISHER: "`perennial publish`, and whoever else sends frames",
        Role.WATCHER: "`perennial watch`, `publish --wait`, your application",
        Role.CURATOR: "`perennial review`, `gallery`, `enrol`, `activate`, `whatif`",
        Role.OPERATOR: "`perennial topics`, `doctor`",
    }
)
"""By role, what is run under it."""

_REDIS: Mapping[Role, tuple[str, ...]] = MappingProxyType(
    {
        Role.STREAMS: (
            *("get", "set", "del", "hset", "hmget", "watch", "unwatch", "multi", "exec", "eval"),
            *("scan", "dbsize", "info", "ft._list", "ft.info", "ft.search", "ft.create"),
            *("ft.dropindex", "ft.aliasupdate"),
        ),
        Role.CURATOR: ("get",),
        Role.OPERATOR: ("info", "time", "module|list", "ft.config", "config|get"),
    }
)


def kafka_rights(settings: Settings, role: Role) -> list[Right]:
    """Return what a role needs on the topics and groups of a deployment."""
    return sorted(set(_on_topics(settings, _NEEDS[role])) | set(_on_groups(settings, role)))


def redis_commands(role: Role) -> tuple[str, ...]:
    """Return the commands of Redis that a role runs; none where it does not use Redis."""
    return _REDIS.get(role, ())


def redis_rules(settings: Settings, role: Role) -> list[str]:
    """Return the ACL rules of Redis for a role, for ``ACL SETUSER`` after ``on`` and a password."""
    allowed = [f"+{command}" for command in redis_commands(role)]
    keys = [] if role is Role.OPERATOR else [f"~{settings.topic_prefix}gallery*"]
    return ["resetkeys", "resetchannels", *keys, "-@all", *allowed]


def _on_topics(settings: Settings, needs: _Needs) -> Iterator[Right]:
    operations: Mapping[Operation, tuple[Topic, ...]] = {
        Operation.READ: needs.reads,
        Operation.WRITE: needs.writes,
        Operation.CREATE: needs.creates,
        Operation.ALTER_CONFIGS: needs.creates,
        Operation.DESCRIBE: needs.looks_at,
        Operation.DESCRIBE_CONFIGS: needs.looks_at,
    }
    for operation, topics in operations.items():
        for topic in topics:
            yield Right(Resource.TOPIC, settings.topic(topic), operation)


def _on_groups(settings: Settings, role: Role) -> Iterator[Right]:
    if role is Role.WORKER:
        yield Right(Resource.GROUP, settings.workers_group, Operation.READ)
    if role is Role.STREAMS:
        yield Right(Resource.GROUP, settings.streams_group, Operation.READ)
    if role is Role.OPERATOR:
        for group in (settings.workers_group, settings.streams_group):
            yield Right(Resource.GROUP, group, Operation.DESCRIBE)
