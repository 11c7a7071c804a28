"""Tokens for OAUTHBEARER, which a command of the operator's prints."""

import asyncio
import base64
import json
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from contextlib import suppress
from functools import lru_cache

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

MAX_RUN_S = 10.0
"""How long the command may take."""

MAX_TOKEN_BYTES = 64 * 2**10

_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, b68token
_KEEP_S = 60.0
"""How long a token is used again that does not say when it expires."""
_EARLY = 0.8
"""The share of a token's time after which another one is asked for."""


class NoToken(KafkaConnectionError):  # type: ignore[misc]  # aiokafka has no types
    """The command gave no token; what it printed is not repeated, for it may be a secret."""


class CommandTokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Runs the command when a token is needed and the last one has served most of its time."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0
        self._expires_at = 0.0

    async def token(self) -> str:
        """Return a token, as aiokafka asks for it.

        Raises:
            NoToken: the command failed, took too long, or printed something else.
        """
        token, _ = await asyncio.to_thread(self.with_expiry)
        return token

    def with_expiry(self, _: str = "") -> tuple[str, float]:
        """Return a token and when it expires (seconds since the epoch), as librdkafka asks for it.

        Raises:
            NoToken: see :meth:`token`.
        """
        with self._lock:
            now = time.time()
            if now >= self._renew_at:
                self._token = _printed(self._command)
                self._expires_at = _expiry(self._token) or now + _KEEP_S
                self._renew_at = now + _EARLY * (self._expires_at - now)
            return self._token, self._expires_at


@lru_cache(maxsize=8)
def tokens_of(command: str) -> CommandTokens:
    """Return the tokens of a command, the same ones for all clients of this process."""
    return CommandTokens(command)


def _printed(command: str) -> str:
    argv = shlex.split(command)
    try:
        status, printed = _run(argv)
    except OSError as error:
        raise NoToken(f"the token command {argv[0]} cannot be run: {error.strerror}") from None
    if status is None:
        raise NoToken(f"the token command {argv[0]} has not ended within {MAX_RUN_S:g} s")
    if status != 0:
        raise NoToken(f"the token command {argv[0]} failed with exit status {status}")
    token = printed.strip()
    if len(token) > MAX_TOKEN_BYTES or not _TOKEN.fullmatch(token):
        raise NoToken(
            f"the token command {argv[0]} printed {len(printed):,} bytes that are no token: one "
            "line of letters, digits and ._~+/-= is one"
        )
    return token.decode("ascii")


def _run(argv: list[str]) -> tuple[int | None, bytes]:
    """Return the exit status, None where the time ran out, and the first bytes of the output."""
    late = threading.Event()
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what it says there may be a secret too
        start_new_session=True,
    ) as process:

        def cut_off() -> None:
            late.set()
            _kill(process)

        timer = threading.Timer(MAX_RUN_S, cut_off)
        timer.start()
        try:
            output = process.stdout.read(MAX_TOKEN_BYTES + 1) if process.stdout is not None else b""
            if len(output) > MAX_TOKEN_BYTES:
                return 0, output
            process.wait()
        finally:
            timer.cancel()
            _kill(process)
    return (None if late.is_set() else process.returncode), output


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End the command with all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _expiry(token: str) -> float | None:
    """Return when a JSON Web Token expires; None for any other, and for one that is over."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        expires_at = float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return expires_at if expires_at > time.time() else None
