"""People's users on a secured Kafka: the least rights are enough, and one less is named at once."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from access.kafka import librdkafka_options
from access.rights import (
    Operation,
    Resource,
    Right,
    Role,
    kafka_rights,
    redis_commands,
    redis_rules,
)
from client.admin import create_topics
from client.broker import Broker
from client.reader import newest
from infra.cli import app
from recognition.cluster import EVERYWHERE
from schemas.event import FramePosition
from schemas.records import Record
from schemas.settings import Settings, environment, load_settings
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
from streams.index.base import GalleryState, IndexEntry, ShardState
from streams.index.redis import RedisIndex
from tests.secured.services import PASSWORDS, SecuredServices
from tests.secured.session import NO_GOODBYE
from tests.services.commands import records
from tests.services.hostile import photograph
from tests.services.kafka import embedding, embedding_records, put
from tests.unit.infra_events import VECTOR, conditioning, entry, identification, review_item

pytestmark = [
    pytest.mark.apache_broker("it needs Java and Maven"),
    pytest.mark.filterwarnings(NO_GOODBYE),
]

SAID_WITHIN_S = 30.0
IMPLIED: Mapping[Operation, frozenset[Operation]] = {
    # By Kafka: who may do one of these may do that, too.
    Operation.DESCRIBE: frozenset({Operation.READ, Operation.WRITE}),
    Operation.DESCRIBE_CONFIGS: frozenset({Operation.ALTER_CONFIGS}),
}
READS: Mapping[Role, Mapping[Topic, str]] = {
    Role.WATCHER: {
        topic: f"watch {topic.name} --from-beginning --limit 1"
        for topic in (IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS)
    },
    Role.CURATOR: {
        FRAMES: "review picture f9 --to PHOTO",
        HUMAN_REVIEW: "review list",
        REVIEW_DECISIONS: "review list",
        GALLERY: "gallery list",
        CONDITIONING: "activate --plain",
        EMBEDDINGS: "whatif",
        IDENTIFICATIONS: "whatif",
    },
}
WRITES: Mapping[Topic, str] = {
    FRAMES: "publish PHOTO",
    REVIEW_DECISIONS: "review answer f1 Bella",
    GALLERY_COMMANDS: "gallery rename Bella Ida --reason x",
    CONDITIONING: "activate --plain --timeout 5",
}
OPERATES: Mapping[Operation, str] = {
    Operation.CREATE: "topics create",
    Operation.ALTER_CONFIGS: "topics create --fix",
    Operation.DESCRIBE: "doctor",
}


@pytest.fixture(scope="module")
def admin(secured: SecuredServices) -> Settings:
    """A deployment in which something lies on every topic, and in Redis."""
    own = load_settings(**secured.admin, topic_prefix="people.")
    create_topics(own)
    filled = {
        HUMAN_REVIEW: review_item("f1"),
        IDENTIFICATIONS: identification("f2"),
        GALLERY: entry("e1"),
    }
    letters = [r for t, event in filled.items() for r in records(own, t, event)]
    letters += embedding_records(own, [embedding("f1", VECTOR, model="m@1")])
    letters.append(replace(letters[0], topic=own.topic(DEAD_LETTERS)))
    asyncio.run(put(own, letters))
    asyncio.run(published(own))
    asyncio.run(written(own))
    return own


async def published(settings: Settings) -> None:
    """Put a frame, and an item that asks about it."""
    source_and_id = (("ce_source", b"cam"), ("ce_id", b"f9"))
    await put(settings, [Record(settings.topic(FRAMES), b"cam", photograph(1), source_and_id)])
    (frame,) = await newest(settings, FRAMES, 1)
    at = FramePosition(partition=frame.partition, offset=frame.offset)
    item = review_item("cam/f9", frame=at, region=None)
    await put(settings, records(settings, HUMAN_REVIEW, item))


async def written(settings: Settings) -> None:
    shard = ShardState(entries=1, identities=1, threshold=0.5)
    state = GalleryState(epoch="one", position=1, models={"m@1": {"all": shard, EVERYWHERE: shard}})
    index = RedisIndex.of(settings)
    await index.write([IndexEntry("e1", "Bella", "m@1", "all", VECTOR)], [], state, term=1)
    await index.close()


class Person:
    """Runs commands as the user of one role."""

    def __init__(self, secured: SecuredServices, admin: Settings, role: Role, photo: Path) -> None:
        self._environment = environment(secured.as_role(admin, role))
        self._admin = admin
        self._photo = str(photo)

    def run(self, command: str) -> Result:
        if "activate" in command:  # there must be something to change
            asked = conditioning("file:///nowhere").record(self._admin.topic(CONDITIONING))
            asyncio.run(put(self._admin, [asked]))
        if "--fix" in command:
            other = {"max.message.bytes": "1000000"}
            Broker(self._admin).alter({self._admin.topic(t): other for t in TOPICS.values()})
        arguments = command.replace("PHOTO", self._photo).split()
        return CliRunner().invoke(app, arguments, env=self._environment)

    def until(self, command: str, ends: Callable[[Result, str], bool], what: str) -> Result:
        """Run a command until it ends so; a change of rights takes a moment."""
        give_up = time.monotonic() + SAID_WITHIN_S
        while True:
            result = self.run(command)
            output = " ".join(result.output.split())
            if ends(result, output):
                return result
            assert time.monotonic() < give_up, f"{command}: {what}; it said: {output}"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photograph(1))
    return path


def needed(settings: Settings, role: Role) -> Iterator[Right]:
    """Yield the rights of a role that no other one brings along."""
    rights = kafka_rights(settings, role)
    by_name: defaultdict[str, set[Operation]] = defaultdict(set)
    for right in rights:
        by_name[right.name].add(right.operation)
    for right in rights:
        others = by_name[right.name]
        if not others & IMPLIED.get(right.operation, frozenset()):
            yield right


def command_for(settings: Settings, role: Role, right: Right) -> str:
    if role is Role.OPERATOR:
        return OPERATES[right.operation]
    topic = TOPICS[right.name.removeprefix(settings.topic_prefix)]
    return READS[role][topic] if right.operation is Operation.READ else WRITES[topic]


@pytest.mark.parametrize("role", [Role.PUBLISHER, Role.WATCHER, Role.CURATOR, Role.OPERATOR])
def test_the_least_rights_are_enough_and_each_is_named_where_it_is_missing(
    secured: SecuredServices, admin: Settings, role: Role, photo: Path
) -> None:
    person = Person(secured, admin, role, photo)
    rights = list(needed(admin, role))
    commands = dict.fromkeys(command_for(admin, role, right) for right in rights)
    for command in commands:
        person.until(command, lambda result, _: result.exit_code == 0, "the rights are enough")
    for right in rights:
        secured.kafka.revoke(role, [right])
        words = (f"user {role} lacks on {admin.kafka_bootstrap_servers}: {right}",)
        failed = person.until(
            command_for(admin, role, right),
            lambda _, said: all(word in said for word in words),  # noqa: B023
            f"it names {right}",
        )
        assert failed.exit_code == (1 if "doctor" in command_for(admin, role, right) else 3)
        assert failed.output.count("lacks on") == 1
        assert "Traceback" not in failed.output
        secured.kafka.grant(role, [right])


@pytest.mark.parametrize(
    ("role", "command"), [(Role.CURATOR, "activate --plain"), (Role.OPERATOR, "doctor")]
)
def test_each_command_of_redis_is_named_where_it_is_missing(
    secured: SecuredServices, admin: Settings, role: Role, command: str, photo: Path
) -> None:
    person = Person(secured, admin, role, photo)
    rules = redis_rules(admin, role)
    # The doctor asks that of a Redis 8 with a search of its own, which the tests have not.
    for missing in set(redis_commands(role)) - {"config|get"}:
        secured.let_in(role, PASSWORDS[role], [*rules, f"-{missing}"])
        person.until(
            command,
            lambda result, said: result.exit_code != 0 and f"'{missing}'" in said.lower(),  # noqa: B023
            f"it names {missing}",
        )
    secured.let_in(role, PASSWORDS[role], rules)
    person.until(command, lambda result, _: result.exit_code == 0, "the rights are enough")


def test_a_plain_client_publishes_with_the_right_to_write_alone(
    secured: SecuredServices, admin: Settings
) -> None:
    user = secured.as_role(admin, Role.PUBLISHER)
    right = Right(Resource.TOPIC, admin.topic(FRAMES), Operation.WRITE)
    secured.kafka.revoke(Role.PUBLISHER, kafka_rights(admin, Role.PUBLISHER))
    secured.kafka.grant(Role.PUBLISHER, [right])
    told: list[Any] = []
    producer = Producer({**librdkafka_options(user), "message.timeout.ms": 20_000})
    give_up = time.monotonic() + SAID_WITHIN_S
    while told[-1:] != [None]:
        assert time.monotonic() < give_up, told
        producer.produce(
            right.name, photograph(1), "cam", on_delivery=lambda error, _: told.append(error)
        )
        assert producer.flush(30) == 0
