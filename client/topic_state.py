"""How one topic stands on the broker, held against its row of the table."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.topics import Topic

# With another clean-up the truth is deleted by age, or every answer is kept for ever.
_MUST = "cleanup.policy"
_SAFE_COPIES = 3


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic of the table as it stands on the broker.

    Attributes:
        partitions: 0 when the topic is missing.
        copies: of the partition that has the fewest.
        records: last minus first offset over all partitions; compaction makes it an upper bound.
        config: what the broker says of its configuration.
        differences: how it departs from the table, in words; empty when it does not.
        faults: those of the differences with which no service may start.
        fixes: the configuration that would remove those differences that can be removed.
    """

    name: str
    partitions: int
    copies: int
    records: int
    config: dict[str, str]
    differences: tuple[str, ...]
    faults: tuple[str, ...]
    fixes: dict[str, str]


def missing(name: str) -> TopicState:
    """Return the state of a topic that the broker does not have."""
    return TopicState(name, 0, 0, 0, {}, ("missing",), ("missing",), {})


def wanted_config(topic: Topic, copies: int) -> dict[str, str]:
    """Return the configuration of a topic of so many replicas.

    With three, a record counts as sent when two have it: one broker may then be lost or stopped.
    """
    if copies < _SAFE_COPIES:
        return topic.config()
    return {**topic.config(), "min.insync.replicas": "2"}


def state_of(
    topic: Topic, name: str, copies: Mapping[int, int], config: dict[str, str], records: int
) -> TopicState:
    """Compare a topic with its row; ``copies`` has the number of replicas of each partition."""
    count = len(copies)
    fewest = min(copies.values())
    wanted = wanted_config(topic, fewest)
    fixes = {key: value for key, value in wanted.items() if not _same(config.get(key), value)}
    differing = {key: f"{key}={config.get(key)}, the table says {fixes[key]}" for key in fixes}
    partitions: tuple[str, ...] = ()
    if count != topic.partitions:
        partitions = (f"{count} partitions, the table says {topic.partitions}",)
    return TopicState(
        name,
        count,
        fewest,
        records,
        config,
        differences=(*partitions, *differing.values()),
        faults=(
            *(partitions if topic.partitions == 1 else ()),
            *(text for key, text in differing.items() if key == _MUST),
        ),
        fixes=fixes,
    )


def _same(present: str | None, wanted: str) -> bool:
    return present is not None and set(present.split(",")) == set(wanted.split(","))
