"""Asks a running service how it is, over its HTTP pages: ``/readyz`` and ``/metrics``."""

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT_S = 2.0


def waiting_for(url: str) -> str | None:
    """Return what the service at ``url`` is not ready for; ``None`` when it is ready."""
    answer = _get(url, "/readyz")
    if answer is None:
        return "no answer yet"
    status, body = answer
    if status == HTTPStatus.OK:
        return None
    try:
        parts = dict(json.loads(body))
    except (TypeError, ValueError):
        return f"HTTP status {status}"
    return ", ".join(f"{part}: {state}" for part, state in parts.items() if state != "ok")


def ailing(url: str) -> str | None:
    """Return why the service at ``url`` is not live; ``None`` when ``/healthz`` says it is."""
    answer = _get(url, "/healthz")
    if answer is None:
        return "/healthz does not answer"
    status, body = answer
    if status == HTTPStatus.OK:
        return None
    return f"/healthz: HTTP status {status}: {body.decode(errors='replace')}"


class Readings:
    """One reading of a service's metrics; empty while it does not answer."""

    def __init__(self, families: list[Metric]) -> None:
        self._samples = [sample for family in families for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples, those that carry ``labels``."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def readings(url: str) -> Readings:
    """Read ``/metrics`` of the service at ``url``."""
    answer = _get(url, "/metrics")
    if answer is None or answer[0] != HTTPStatus.OK:
        return Readings([])
    return parse(answer[1].decode())


def parse(text: str) -> Readings:
    """Read metrics in the Prometheus text format."""
    return Readings(list(text_string_to_metric_families(text)))


def _get(url: str, path: str) -> tuple[int, bytes] | None:
    at = urlsplit(url)
    connection = HTTPConnection(at.hostname or "127.0.0.1", at.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
