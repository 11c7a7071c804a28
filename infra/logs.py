"""Logging: one line a record, to stderr."""

import logging
import sys

_OURS = ("client", "infra", "lab", "streams", "workers")
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


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
        handler.setFormatter(logging.Formatter(_FORMAT))
        root.addHandler(handler)
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.INFO if verbose else logging.CRITICAL)
