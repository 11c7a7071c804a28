"""Whether we get in, and may do all that we will have to: asked before it is needed."""

from collections.abc import Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from access.refusals import not_allowed
from access.rights import Operation, Resource, Right, Role, kafka_rights
from client.broker import NOT_ALLOWED, Broker
from client.moving import TIMEOUT_S, patiently
from schemas.access import SecurityProtocol
from schemas.settings import Settings

_ABSENT = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND}
_OPERATIONS = {operation.name: operation for operation in Operation}


def check_access(settings: Settings, *roles: Role) -> None:
    """Log in anew, and find out whether the rights of the roles are granted.

    A deployment without users and certificates is not asked: some brokers would make topics.

    Raises:
        DependencyDown: the broker does not answer, or refuses the connection; the message says why.
        NotAllowed: rights are missing; the message has all of them.
    """
    if settings.kafka_security_protocol is SecurityProtocol.PLAINTEXT:
        return
    missing = missing_rights(settings, *roles)
    if missing:
        raise not_allowed(settings, "; ".join(map(str, missing)))


def missing_rights(settings: Settings, *roles: Role) -> list[Right]:
    """Return the rights of the roles that we lack, on what exists; raises as a broker does."""
    wanted = sorted({right for role in roles for right in kafka_rights(settings, role)})
    broker = Broker(settings)
    broker.size()  # who is refused is told so here
    allowed = {
        place: operations
        for resource in Resource
        for place, operations in patiently(
            partial(_allowed, broker, resource, _names(wanted, resource))
        ).items()
    }
    return [
        right
        for right in wanted
        if right.operation not in allowed.get((right.resource, right.name), {right.operation})
    ]


def refuse_hidden(settings: Settings, names: Iterable[str], operation: Operation) -> None:
    """Find out whether topics that a broker does not name are there, but not for us.

    Raises:
        DependencyDown: the broker does not answer.
        NotAllowed: we may not see them; the message says what ``operation`` we would need.
    """
    asked = sorted(set(names))
    if not asked or settings.kafka_security_protocol is SecurityProtocol.PLAINTEXT:
        return
    allowed = patiently(partial(_allowed, Broker(settings), Resource.TOPIC, asked))
    hidden = [name for (_, name), operations in allowed.items() if not operations]
    if hidden:
        raise not_allowed(settings, f"{operation} on topic {', '.join(hidden)}")


def _names(rights: list[Right], resource: Resource) -> list[str]:
    return sorted({right.name for right in rights if right.resource is resource})


def _allowed(
    broker: Broker, resource: Resource, names: list[str]
) -> dict[tuple[Resource, str], set[Operation]]:
    """Return what is allowed; what does not exist is left out."""
    if not names:
        return {}
    options = {"include_authorized_operations": True, "request_timeout": TIMEOUT_S}
    if resource is Resource.TOPIC:
        answers = broker.client.describe_topics(TopicCollection(names), **options)
    else:
        answers = broker.client.describe_consumer_groups(names, **options)
    found = {(resource, name): _operations(broker, future) for name, future in answers.items()}
    return {place: operations for place, operations in found.items() if operations is not None}


def _operations(broker: Broker, future: Future[Any]) -> set[Operation] | None:
    try:
        described = broker.awaited(future)
    except KafkaException as error:
        if error.args[0].code() in NOT_ALLOWED:
            return set()
        if error.args[0].code() in _ABSENT:
            return None
        raise broker.explained(error) from error
    names = {operation.name for operation in described.authorized_operations or ()}
    return {_OPERATIONS[name] for name in names & _OPERATIONS.keys()}
