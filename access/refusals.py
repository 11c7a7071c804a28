"""What is said when a connection or an operation is refused: who, where, why, and what to mend."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

from access.kafka import principal
from access.probe import problem_at
from access.rights import Operation
from schemas.errors import DependencyDown, NotAllowed
from schemas.settings import Settings

# The words of OpenSSL and of brokers, and ours; the first that is met counts.
_PLAINLY = (
    (
        r"certificate has expired|certificate_expired|alert certificate expired",
        "a certificate has expired: the broker's, or our own",
    ),
    (
        r"hostname mismatch|host ?name.*mismatch|IP address mismatch|not valid for",
        "its certificate is for another host name than PERENNIAL_KAFKA_BOOTSTRAP_SERVERS says",
    ),
    (
        r"alert (bad|unsupported|revoked)? ?certificate|certificate.required|alert unknown ca",
        "it refuses our certificate: PERENNIAL_KAFKA_SECURITY_CERTIFICATE, _KEY",
    ),
    (
        r"certificate verify failed|could not be verified|self.signed|unable to get local issuer",
        "its certificate is not signed by whom we trust: PERENNIAL_KAFKA_SECURITY_CA",
    ),
    (
        r"wrong.version.number|record.layer.failure|packet.length.too.long|unexpected.eof|"
        r"PLAINTEXT broker",
        "it does not speak TLS on this port: PERENNIAL_KAFKA_SECURITY_PROTOCOL",
    ),
    (
        r"SSL listener",
        "it speaks TLS on this port: PERENNIAL_KAFKA_SECURITY_PROTOCOL",
    ),
    (
        r"security\.protocol",
        "it wants a user on this port: PERENNIAL_KAFKA_SECURITY_PROTOCOL",
    ),
    (
        r"mechanism.*(not (enabled|supported)|unsupported)|unsupported.*mechanism",
        "it does not know this way to log in: PERENNIAL_KAFKA_SECURITY_MECHANISM",
    ),
    (
        r"invalid_token|OAUTHBEARER",
        "it refuses the token that PERENNIAL_KAFKA_SECURITY_TOKEN_COMMAND prints",
    ),
    (
        r"authentication fail|invalid credentials|SaslAuthenticationFailed",
        "its name or password is wrong: PERENNIAL_KAFKA_SECURITY_USERNAME, _PASSWORD",
    ),
)


def no_answer(address: str, why: str) -> DependencyDown:
    """Return the error that says that no broker answers at ``address``."""
    return DependencyDown(
        "kafka",
        f"no answer from {address} ({why}): is the broker running, and does "
        "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS name it?",
    )


def refused(settings: Settings, why: str) -> DependencyDown:
    """Return the error for a connection that came to nothing, with what a client said of it.

    librdkafka does not say what is wrong with a certificate, nor what a port speaks; so the port
    is asked.
    """
    if re.search(r"certificate verify failed|transport failure|SSL handshake failed", why):
        why = problem_at(settings) or why
    for pattern, plainly in _PLAINLY:
        if re.search(pattern, why, re.IGNORECASE):
            address, who = settings.need_kafka(), principal(settings)
            return DependencyDown("kafka", f"{address} refuses {who}: {plainly} ({why})")
    return no_answer(settings.need_kafka(), why)


def is_refusal(why: str) -> bool:
    """Tell whether a client's words are of one who is refused, and not of one that is not heard."""
    return any(re.search(pattern, why, re.IGNORECASE) for pattern, _ in _PLAINLY)


def not_allowed(settings: Settings, rights: str) -> NotAllowed:
    """Return the error for missing rights, given as ``Read on topic frames``."""
    where = settings.kafka_bootstrap_servers
    return NotAllowed("kafka", f"{principal(settings)} lacks on {where}: {rights}")


@contextmanager
def rights_named(settings: Settings, operation: Operation) -> Iterator[None]:
    """Turn aiokafka's refusals of an operation into ``NotAllowed``, which names the right."""
    try:
        yield
    except TopicAuthorizationFailedError as error:
        raise not_allowed(settings, f"{operation} on topic {_names(error)}") from error
    except GroupAuthorizationFailedError as error:
        raise not_allowed(settings, f"{Operation.READ} on group {_names(error)}") from error


def _names(error: Exception) -> str:
    """Return the topics, or the group, that aiokafka names."""
    named: list[str] = []
    for argument in error.args:
        many = argument if isinstance(argument, set | frozenset | list | tuple) else (argument,)
        named.extend(str(name) for name in many)
    return ", ".join(sorted(named)) or "(which one the broker does not say)"


def is_lost(client: Any) -> bool:
    """Tell whether a consumer of aiokafka's has lost its group for good.

    It has where its coordination ended by an error that it did not expect, and where an error ended
    its heartbeats or its look at what is committed (a right taken away, say): neither is begun
    again before the group is joined anew, and nothing makes it join. Until then each read answers
    with that error, whatever was mended.
    """
    coordinator = getattr(client, "_coordinator", None)
    whole = getattr(coordinator, "_coordination_task", None)
    parts = (
        getattr(coordinator, f"_{part}_task", None) for part in ("heartbeat", "commit_refresh")
    )
    return (whole is not None and whole.done()) or any(map(_has_failed, parts))


def _has_failed(task: asyncio.Task[None] | None) -> bool:
    return (
        task is not None and task.done() and not task.cancelled() and task.exception() is not None
    )


class AllowedReads:
    """A consumer of aiokafka's that says which right is missing; see ``schemas.reading.Client``."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def getmany(self, *partitions: Any, timeout_ms: int, max_records: int) -> Any:
        """Return what was fetched.

        Raises:
            NotAllowed: the right to read the topic, or to be in the group, is missing.
        """
        with rights_named(self._settings, Operation.READ):
            try:
                return await self._client.getmany(
                    *partitions, timeout_ms=timeout_ms, max_records=max_records
                )
            except asyncio.CancelledError:
                _wait_no_more(self._client)
                raise

    async def position(self, partition: Any) -> int:
        """Return the offset that is read next."""
        with rights_named(self._settings, Operation.READ):
            position: int = await self._client.position(partition)
        return position

    def seek(self, partition: Any, offset: int) -> None:
        """Read on from ``offset``."""
        self._client.seek(partition, offset)


def _wait_no_more(client: Any) -> None:
    """Cancel what aiokafka waits by, and keeps when the wait is ended from outside.

    Otherwise there is one more for each read of a partition that rests, until a record comes; and
    the next error of the group is put in all of them, where nobody looks ("Future exception was
    never retrieved"). Whoever ends one read of a consumer ends all that wait.
    """
    for waiter in tuple(getattr(getattr(client, "_fetcher", None), "_fetch_waiters", ())):
        waiter.cancel()
