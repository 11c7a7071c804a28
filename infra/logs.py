"""Logging: one line a record, to stderr."""

import logging
import sys

from schemas.visible import visible

_OURS = ("access", "client", "infra", "lab", "streams", "workers")
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_INDENT = "\n    "


class _OneRecord(logging.Formatter):
    """Writes a record so that nothing in its message or its traceback can pass for another one."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  its parent's name
        record.message = visible(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        first, *rest = super().format(record).split("\n")
        return _INDENT.join((first, *map(visible, rest)))


class _ToStderr(logging.Handler):
    """Writes to what ``sys.stderr`` is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except Exception:  # noqa: BLE001 - a log line must never end the program
            self.handleError(record)


def configure(*, verbose: bool) -> None:
    """Send log lines to stderr: ours from INFO, other libraries' from WARNING.

    ``verbose`` opens both by one level. Commands say in their own words that a broker is away, so
    aiokafka's repeats of it are only shown then.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, _ToStderr) for handler in root.handlers):
        handler = _ToStderr()
        handler.setFormatter(_OneRecord(_FORMAT))
        root.addHandler(handler)
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.INFO if verbose else logging.CRITICAL)
