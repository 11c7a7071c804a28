"""The topic table held against the broker: create what is missing, describe, measure the lag."""

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # not marked as re-export

from infra.broker import Broker, Place
from schemas.errors import SetupError
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, FRAMES, GALLERY_COMMANDS, REVIEW_DECISIONS, TOPICS, Topic


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic of the table as it stands on the broker.

    Attributes:
        partitions: 0 when the topic is missing.
        records: last minus first offset over all partitions; compaction makes it an upper bound.
        differences: how it departs from the table, in words; empty when it does not.
    """

    name: str
    partitions: int
    records: int
    config: dict[str, str]
    differences: tuple[str, ...]


def create_topics(settings: Settings, replication: int | None = None) -> dict[str, str]:
    """Create the topics of the table that are missing.

    Without ``replication`` each has as many replicas as there are brokers, three at most.

    Returns:
        ``{name: "created" or "exists"}``, in the order of the table.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: the broker refuses a topic; the message says why.
    """
    broker = Broker(settings.need_kafka())
    copies = min(3, broker.size()) if replication is None else replication
    return broker.create(
        NewTopic(settings.topic(topic), topic.partitions, copies, config=topic.config())
        for topic in TOPICS.values()
    )


def describe_topics(settings: Settings) -> list[TopicState]:
    """Return the state of every topic of the table, the missing ones too.

    Raises:
        DependencyDown: the broker does not answer.
    """
    broker = Broker(settings.need_kafka())
    names = {settings.topic(topic) for topic in TOPICS.values()}
    found = {name: parts for name, parts in broker.partitions().items() if name in names}
    records = dict.fromkeys(found, 0)
    for (name, _), (first, end) in broker.spans(found).items():
        records[name] += end - first
    configs = broker.configs(found)
    return [
        _state(topic, name, len(found[name]), records[name], configs[name])
        if (name := settings.topic(topic)) in found
        else TopicState(name, 0, 0, {}, ("missing",))
        for topic in TOPICS.values()
    ]


def partitions(settings: Settings, topics: Iterable[Topic]) -> dict[str, list[int]]:
    """Return the partitions of ``topics`` by full name.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: a topic does not exist.
    """
    found = Broker(settings.need_kafka()).partitions()
    names = [settings.topic(topic) for topic in topics]
    missing = [name for name in names if name not in found]
    if missing:
        raise SetupError(
            f"no topic {', '.join(missing)} on {settings.need_kafka()}: run `perennial topics "
            "create`, or set PERENNIAL_TOPIC_PREFIX to the deployment that you mean"
        )
    return {name: found[name] for name in names}


def largest_records(settings: Settings, topics: Iterable[Topic]) -> dict[str, int]:
    """Return the most bytes that each of ``topics`` takes in a batch, by full name.

    A broker that does not say (the embedded one, of a topic that it made itself) is believed to
    do as the table says.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: a topic does not exist.
    """
    asked = {settings.topic(topic): topic for topic in topics}
    configs = Broker(settings.need_kafka()).configs(partitions(settings, asked.values()))
    return {
        name: int(configs[name].get("max.message.bytes", topic.max_bytes))
        for name, topic in asked.items()
    }


def lag(settings: Settings) -> dict[Place, int]:
    """Return the records that workers and streams have yet to commit, by topic and partition.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: a topic does not exist.
    """
    broker = Broker(settings.need_kafka())
    read_by = {
        settings.workers_group: (FRAMES,),
        settings.streams_group: (EMBEDDINGS, REVIEW_DECISIONS, GALLERY_COMMANDS),
    }
    behind: dict[Place, int] = {}
    for group, topics in read_by.items():
        spans = broker.spans(partitions(settings, topics))
        committed = broker.committed(group, spans)
        for place, (first, end) in spans.items():
            behind[place] = max(0, end - max(first, committed.get(place, first)))
    return behind


def _state(topic: Topic, name: str, found: int, records: int, config: dict[str, str]) -> TopicState:
    differences = []
    if found != topic.partitions:
        differences.append(f"{found} partitions, the table says {topic.partitions}")
    for key, wanted in topic.config().items():
        if set(config.get(key, "").split(",")) != set(wanted.split(",")):
            differences.append(f"{key}={config.get(key)}, the table says {wanted}")
    return TopicState(name, found, records, config, tuple(differences))
