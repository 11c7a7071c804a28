"""The one exception tree. What a part does with an error follows from its class alone."""

from typing import ClassVar

from pydantic import ValidationError


class PerennialError(Exception):
    """Base of every error that Perennial raises on purpose."""

    exit_code: ClassVar[int] = 1
    """With which the command line ends."""


class BadInput(PerennialError):
    """This record can never be processed: it goes to ``dead-letters``, the stream goes on.

    ``reason`` is a short stable slug (a metric label, a filter for scripts); the message names the
    offending value and what would have been accepted.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Unreadable(BadInput):
    """A stretch of a partition that nobody can unpack; the record for it stands at its last offset.

    ``first`` is the first of its offsets.
    """

    def __init__(self, first: int, message: str) -> None:
        super().__init__("unreadable_batch", message)
        self.first = first


class DependencyDown(PerennialError):
    """Something we depend on does not answer: consumption pauses and the work is tried again."""

    exit_code = 3

    def __init__(self, dependency: str, message: str) -> None:
        super().__init__(f"{dependency}: {message}")
        self.dependency = dependency


class NotAllowed(DependencyDown):
    """We lack a right, which the message names: the work waits until it is granted."""


class SetupError(PerennialError):
    """The operator must change something first; the message says what."""

    exit_code = 2


class Crashed(PerennialError):
    """A part that must run for ever ended: the process ends too, and is started again."""


def problems_of(error: ValidationError) -> str:
    """Say in a line what pydantic found wrong: where, and why."""
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
