"""What we ask a broker's administration, in our own words and errors.

confluent-kafka is used because aiokafka does not decode the embedded broker's answer about group
offsets.
"""

import re
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its re-exports are not marked
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
)

from access.kafka import librdkafka_options
from access.refusals import is_refusal, no_answer, not_allowed, refused
from access.rights import Operation
from client.moving import ASK_EVERY_S, MOVING, TIMEOUT_S, Moving, patiently
from schemas.access import SecurityProtocol
from schemas.errors import DependencyDown, PerennialError, SetupError
from schemas.offsets import Partition
from schemas.settings import Settings

_FIRST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the library leaves it untyped
_END = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the same

Layout = dict[str, dict[int, int]]
"""How many replicas each partition of each topic has."""

NOT_ALLOWED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
_LEADERS_WITHIN_S = 30.0
_LOOK_S = 1.0  # a refusal ends the wait for an answer so soon


class Broker:
    """The administration of the broker that the settings name.

    Every method raises ``DependencyDown`` when nobody answers within five seconds, ``NotAllowed``
    when a right is missing, and ``SetupError`` when the broker refuses for another reason.
    """

    def __init__(self, settings: Settings) -> None:
        """Prepare to connect.

        Raises:
            SetupError: no broker is named.
            DependencyDown: a certificate, a password's file or a token cannot be had.
        """
        self._settings = settings
        self._address = settings.need_kafka()
        self._reasons: list[str] = []
        try:
            self.client = AdminClient(self._options())
        except KafkaException as error:
            raise refused(settings, error.args[0].str()) from error

    def size(self) -> int:
        """Return how many brokers the cluster has."""
        return len(self._metadata().brokers)

    def partitions(self) -> dict[str, list[int]]:
        """Return the partitions of every topic."""
        return {name: sorted(topic.partitions) for name, topic in self._metadata().topics.items()}

    def layout(self) -> Layout:
        """Return the partitions of every topic, with the number of their replicas."""
        return {
            name: {number: len(found.replicas) for number, found in topic.partitions.items()}
            for name, topic in self._metadata().topics.items()
        }

    def await_leaders(self, names: Iterable[str]) -> None:
        """Wait until the leader of each partition of the topics answers for it.

        A broker says that it made a topic before all of its own parts know of it, and names a
        leader before that one knows that it is.
        """
        give_up = time.monotonic() + _LEADERS_WITHIN_S
        while waiting := self._without_leader(names):
            if time.monotonic() > give_up:
                raise DependencyDown(
                    "kafka",
                    f"{self._address} has had no leader for {', '.join(waiting)} for "
                    f"{_LEADERS_WITHIN_S:.0f} s: do all of its brokers run?",
                )
            time.sleep(ASK_EVERY_S)

    def create(self, wanted: Iterable[NewTopic]) -> dict[str, str]:
        """Create topics; return ``{name: "created" or "exists"}``."""
        asked = self.client.create_topics(list(wanted), operation_timeout=TIMEOUT_S)
        return {name: self._created(future, name) for name, future in asked.items()}

    def configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return the configuration of the topics named."""
        asked = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
        if not asked:
            return {}
        answers = self.client.describe_configs(asked, request_timeout=TIMEOUT_S)
        look = f"{Operation.DESCRIBE_CONFIGS} on topic"
        return {
            resource.name: {
                key: entry.value
                for key, entry in self._result(future, f"{look} {resource.name}").items()
            }
            for resource, future in answers.items()
        }

    def alter(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        """Set configuration of topics; what is not named stays as it is."""
        asked = [
            ConfigResource(
                ConfigResource.Type.TOPIC,
                name,
                incremental_configs=[
                    ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                    for key, value in config.items()
                ],
            )
            for name, config in wanted.items()
        ]
        if asked:
            answers = self.client.incremental_alter_configs(asked, request_timeout=TIMEOUT_S)
            for resource, future in answers.items():
                self._result(future, f"{Operation.ALTER_CONFIGS} on topic {resource.name}")

    def spans(self, topics: Mapping[str, list[int]]) -> dict[Partition, tuple[int, int]]:
        """Return the first and the end offset of the partitions given.

        The embedded broker counts only one record of the newest batch of each partition.
        """
        places = [(name, number) for name, numbers in topics.items() for number in numbers]
        first = patiently(lambda: self._offsets(places, _FIRST))
        end = patiently(lambda: self._offsets(places, _END))
        return {place: (first[place], end[place]) for place in places}

    def committed(self, group: str, places: Iterable[Partition]) -> dict[Partition, int]:
        """Return the committed offsets of ``group``, leaving out where it has none.

        By a consumer that does not join it: AdminClient ends the process (SIGSEGV, librdkafka 2.16)
        where the answer is that another broker coordinates the group, as on a new cluster.
        """
        asked = [TopicPartition(*place) for place in places]
        found = patiently(lambda: self._committed(group, asked))
        return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    def _note(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            # How long it took is another each time, and would be another message.
            self._reasons.append(re.sub(r" \(after \d+ms in state \w+\)", "", error.str()))

    def _committed(self, group: str, asked: list[TopicPartition]) -> list[TopicPartition]:
        right = f"{Operation.DESCRIBE} on group {group}"
        self._refuse_hidden(group, right)
        bystander = {"group.id": group, "enable.auto.commit": False}
        consumer = Consumer({**self._options(), **bystander})
        try:
            found = consumer.committed(asked, timeout=TIMEOUT_S)
        except KafkaException as error:
            raise self.explained(error, right) from error
        finally:
            consumer.close()
        return found

    def _refuse_hidden(self, group: str, right: str) -> None:
        """Find out whether we may ask: a consumer would till its time is over, and not tell."""
        if self._settings.kafka_security_protocol is SecurityProtocol.PLAINTEXT:
            return
        asked = self.client.describe_consumer_groups([group], request_timeout=TIMEOUT_S)
        with suppress(SetupError):  # a group that is not there yet
            self._result(asked[group], right)

    def _options(self) -> dict[str, Any]:
        # It would repeat on stderr, 20 times a second, what our exception says once.
        return {**librdkafka_options(self._settings), "log_level": 0, "error_cb": self._note}

    def _without_leader(self, names: Iterable[str]) -> list[str]:
        known = self._metadata().topics
        led = {
            name: list(known[name].partitions)
            for name in names
            if name in known and all(p.leader >= 0 for p in known[name].partitions.values())
        }
        answers = self._asked([(name, p) for name, numbers in led.items() for p in numbers], _END)
        silent = {name for (name, _), future in answers.items() if self._is_led_elsewhere(future)}
        return [name for name in names if not led.get(name) or name in silent]

    def _is_led_elsewhere(self, future: Future[Any]) -> bool:
        try:
            self._result(future)
        except Moving:
            return True
        return False

    def _metadata(self) -> Any:
        give_up = time.monotonic() + TIMEOUT_S
        while True:
            try:
                return self.client.list_topics(timeout=_LOOK_S)
            except KafkaException as error:
                self.client.poll(0)  # lets it say what happened meanwhile
                if time.monotonic() > give_up or any(map(is_refusal, self._reasons)):
                    raise self.explained(error) from error

    def _offsets(self, places: Iterable[Partition], which: OffsetSpec) -> dict[Partition, int]:
        look = f"{Operation.DESCRIBE} on topic"
        asked = self._asked(places, which)
        return {place: self._result(f, f"{look} {place[0]}").offset for place, f in asked.items()}

    def _asked(
        self, places: Iterable[Partition], which: OffsetSpec
    ) -> dict[Partition, Future[Any]]:
        asked = {TopicPartition(*place): which for place in places}
        if not asked:
            return {}
        answers = self.client.list_offsets(asked, request_timeout=TIMEOUT_S)
        return {(p.topic, p.partition): future for p, future in answers.items()}

    def _created(self, future: Future[None], name: str) -> str:
        try:
            self.awaited(future)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return "exists"
            raise self.explained(error, f"{Operation.CREATE} on topic {name}") from error
        return "created"

    def _result(self, future: Future[Any], right: str | None = None) -> Any:
        try:
            return self.awaited(future)
        except KafkaException as error:
            raise self.explained(error, right) from error

    def awaited(self, future: Future[Any]) -> Any:
        """Return the answer; one that does not come is no answer, whatever librdkafka waits for."""
        try:
            return future.result(2 * TIMEOUT_S)
        except TimeoutError as error:
            raise no_answer(self._address, f"none in {2 * TIMEOUT_S:.0f} s") from error

    def explained(self, error: KafkaException, right: str | None = None) -> PerennialError:
        """Return our error for one of librdkafka's; ``right`` is what it would have needed."""
        reason: KafkaError = error.args[0]
        if reason.code() in NOT_ALLOWED:
            return not_allowed(self._settings, right or f"a right: {reason.str()}")
        if reason.code() in MOVING:
            return Moving("kafka", f"{self._address} cannot answer just now ({reason.str()})")
        if reason.retriable() or reason.code() < 0:  # librdkafka's own codes: nobody answered
            self.client.poll(0)
            return refused(self._settings, self._reasons[-1] if self._reasons else reason.str())
        return SetupError(f"kafka at {self._address} refuses: {reason.str()}")
