"""The topic table held against the broker: create what is missing, describe, measure the lag."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # not marked as re-export

from access.rights import Operation
from client.access import refuse_hidden
from client.broker import Broker, Layout
from schemas.errors import SetupError
from schemas.offsets import Partition
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, FRAMES, GALLERY_COMMANDS, REVIEW_DECISIONS, TOPICS, Topic

_COPIES = 3
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


def create_topics(settings: Settings, replication: int | None = None) -> dict[str, str]:
    """Create the topics of the table that are missing; return when all can be used.

    Without ``replication`` each has as many replicas as there are brokers, three at most.

    Returns:
        ``{name: "created" or "exists"}``, in the order of the table.

    Raises:
        DependencyDown: the broker does not answer, or has no leader for a topic after 30 s.
        SetupError: the broker refuses a topic; the message says why.
    """
    broker = Broker(settings)
    copies = min(_COPIES, broker.size()) if replication is None else replication
    states = broker.create(
        NewTopic(
            settings.topic(topic), topic.partitions, copies, config=wanted_config(topic, copies)
        )
        for topic in TOPICS.values()
    )
    refuse_hidden(settings, states, Operation.DESCRIBE)
    broker.await_leaders(states)
    return states


def describe_topics(settings: Settings) -> list[TopicState]:
    """Return the state of every topic of the table, the missing ones too."""
    broker = Broker(settings)
    layout = _of_the_table(settings, broker)
    records = dict.fromkeys(layout, 0)
    spans = broker.spans({name: sorted(copies) for name, copies in layout.items()})
    for (name, _), (first, end) in spans.items():
        records[name] += end - first
    return _states(settings, broker, layout, records)


def check_topics(settings: Settings) -> None:
    """Find out whether a service may start on the topics as they are.

    Raises:
        SetupError: a topic is missing, has partitions where there must be one, or has another
            clean-up than the table says; the message names all of them and what to do.
    """
    broker = Broker(settings)
    layout = _of_the_table(settings, broker)
    states = _states(settings, broker, layout, dict.fromkeys(layout, 0))
    refuse_faults(settings, states)


def refuse_faults(settings: Settings, states: Iterable[TopicState]) -> None:
    """Raise ``SetupError`` when a topic is so that no service may start."""
    faulty = [state for state in states if state.faults]
    if not faulty:
        return
    lines = [f"  {state.name}: {'; '.join(state.faults)}" for state in faulty]
    remedies = list(dict.fromkeys(remedy for state in faulty for remedy in _remedies(state)))
    raise SetupError(
        f"the topics on {settings.need_kafka()} are not as they must be:\n"
        + "\n".join([*lines, *remedies])
    )


def fix_topics(settings: Settings) -> list[str]:
    """Alter the configuration of topics that departs from the table; return what was done."""
    broker = Broker(settings)
    layout = _of_the_table(settings, broker)
    states = _states(settings, broker, layout, dict.fromkeys(layout, 0))
    fixes = {state.name: state.fixes for state in states if state.fixes}
    broker.alter(fixes)
    return [f"{name}: {key}={value}" for name, fix in fixes.items() for key, value in fix.items()]


def partitions(
    settings: Settings, topics: Iterable[Topic], to: Operation = Operation.DESCRIBE
) -> dict[str, list[int]]:
    """Return the partitions of ``topics`` by full name; ``to``: what shall be done with them.

    Raises:
        DependencyDown: the broker does not answer.
        NotAllowed: we may not even see a topic.
        SetupError: a topic does not exist.
    """
    layout = Broker(settings).partitions()
    names = [settings.topic(topic) for topic in topics]
    absent = [name for name in names if name not in layout]
    if absent:
        refuse_hidden(settings, absent, to)
        raise SetupError(
            f"no topic {', '.join(absent)} on {settings.need_kafka()}: run `perennial topics "
            "create`, or set PERENNIAL_TOPIC_PREFIX to the deployment that you mean"
        )
    return {name: layout[name] for name in names}


def largest_records(settings: Settings, topics: Iterable[Topic]) -> dict[str, int]:
    """Return the most bytes that topics which are written to take in a batch, by full name.

    A broker that does not say (the embedded one, of a topic that it made itself) is believed to
    do as the table says.
    """
    asked = {settings.topic(topic): topic for topic in topics}
    configs = Broker(settings).configs(partitions(settings, asked.values(), Operation.WRITE))
    return {
        name: int(configs[name].get("max.message.bytes", topic.max_bytes))
        for name, topic in asked.items()
    }


def lag(settings: Settings) -> dict[Partition, int]:
    """Return the records that workers and streams have yet to commit, by topic and partition."""
    broker = Broker(settings)
    read_by = {
        settings.workers_group: (FRAMES,),
        settings.streams_group: (EMBEDDINGS, REVIEW_DECISIONS, GALLERY_COMMANDS),
    }
    behind: dict[Partition, int] = {}
    for group, topics in read_by.items():
        spans = broker.spans(partitions(settings, topics))
        committed = broker.committed(group, spans)
        for place, (first, end) in spans.items():
            behind[place] = max(0, end - max(first, committed.get(place, first)))
    return behind


def _of_the_table(settings: Settings, broker: Broker) -> Layout:
    names = {settings.topic(topic) for topic in TOPICS.values()}
    layout = {name: copies for name, copies in broker.layout().items() if name in names}
    refuse_hidden(settings, names - layout.keys(), Operation.DESCRIBE)
    return layout


def _states(
    settings: Settings, broker: Broker, layout: Layout, records: Mapping[str, int]
) -> list[TopicState]:
    configs = broker.configs(layout)
    return [
        state_of(topic, name, layout[name], configs[name], records[name])
        if (name := settings.topic(topic)) in layout
        else missing(name)
        for topic in TOPICS.values()
    ]


def _remedies(state: TopicState) -> Iterator[str]:
    if not state.partitions:
        yield (
            "What is missing: `perennial topics create` makes it; or set PERENNIAL_TOPIC_PREFIX to "
            "the deployment that you mean."
        )
    if state.fixes.keys() & {"cleanup.policy"}:
        yield "Clean-up: `perennial topics create --fix` alters it."
    if any("partitions" in fault for fault in state.faults):
        yield (
            "Partitions cannot be taken away: stop all services, delete the topic with the broker's"
            f" own tools (`kafka-topics --delete --topic {state.name}`; what it holds goes with it)"
            " and run `perennial topics create`; or begin under another PERENNIAL_TOPIC_PREFIX."
        )
