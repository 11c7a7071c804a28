"""Finds out what a port speaks, where a client says only that nothing came of it."""

import socket
import ssl

from access.certificates import Certificates
from schemas.access import AccessSettings

_WAIT_S = 2.0
_ASK_VERSIONS = bytes.fromhex("0000000e 0012 0000 00000001 0004 70726f62".replace(" ", ""))
"""A request of Kafka's that every broker answers before anybody has logged in."""
_TLS_ALERT = 0x15


def problem_at(settings: AccessSettings) -> str | None:
    """Return what is wrong with the first broker that can be reached; None if that is not told."""
    for server in settings.need_kafka().split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), _WAIT_S) as connection:
                if settings.kafka_security_protocol.is_encrypted:
                    return _of_handshake(connection, Certificates.of_kafka(settings), host)
                return _of_answer(connection)
        except (OSError, ValueError):
            continue
    return None


def _of_handshake(connection: socket.socket, ours: Certificates, host: str) -> str | None:
    try:
        with ours.context().wrap_socket(connection, server_hostname=host.strip("[]")):
            return None
    except ssl.SSLCertVerificationError as error:
        return f"certificate verify failed: {error.verify_message}"
    except ssl.SSLError as error:
        return str(error.reason)
    except TimeoutError:
        return None  # it is busy, or stands still
    except ConnectionError:
        return "wrong version number: it hangs up"


def _of_answer(connection: socket.socket) -> str | None:
    try:
        connection.sendall(_ASK_VERSIONS)
        answer = connection.recv(64)
    except TimeoutError:
        return None
    if not answer or answer[0] == _TLS_ALERT:
        return "it hangs up, as an SSL listener does"
    return "it answers, and hangs up on who has not logged in: security.protocol"
