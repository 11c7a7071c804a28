"""The token command: tokens are kept for their time, and whatever else it does is told."""

import asyncio
import base64
import json
import sys
import time
from pathlib import Path

import pytest

from access import tokens
from access.tokens import CommandTokens, NoToken


def jwt(**claims: float) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}."


def command(folder: Path, code: str) -> str:
    """Return a command that runs the code and counts how often it was run."""
    script = folder / "a token's script.py"
    script.write_text(f"open({str(folder / 'runs')!r}, 'a').write('.')\n{code}\n")
    return f"{sys.executable} '{str(script).replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'"


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


async def test_a_token_is_used_until_it_is_old(tmp_path: Path) -> None:
    token = jwt(exp=time.time() + 300)
    given = CommandTokens(command(tmp_path, f"print({token!r})"))
    assert await asyncio.gather(*(given.token() for _ in range(5))) == [token] * 5
    _, expires_at = given.with_expiry()
    assert abs(expires_at - time.time() - 300) < 5
    assert runs(tmp_path) == 1


@pytest.mark.parametrize("token", ["opaque", jwt(), jwt(exp=1.0)])
def test_one_that_tells_no_time_to_come_is_kept_for_a_minute(tmp_path: Path, token: str) -> None:
    given = CommandTokens(command(tmp_path, f"print({token!r})"))
    assert given.with_expiry()[0] == token
    assert 50 < given.with_expiry()[1] - time.time() <= 60
    assert runs(tmp_path) == 1


def test_an_old_one_is_replaced(tmp_path: Path) -> None:
    given = CommandTokens(command(tmp_path, f"print({jwt(exp=time.time() + 5)!r})"))
    _, expires_at = given.with_expiry()
    assert given._renew_at < expires_at
    given._renew_at = time.time()
    given.with_expiry()
    assert runs(tmp_path) == 2


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("print('a secret thing')", "printed 15 bytes that are no token"),
        ("print('secret\\nsecret')", "no token"),
        ("print()", "printed 1 bytes that are no token"),
        ("print('\\x1b[2Jsecret')", "no token"),
        ("print('secret' * 100_000)", "no token"),
        ("import sys; sys.stdout.buffer.write(b'\\xffsecret')", "no token"),
        ("import sys; print('secret'); sys.exit(3)", "failed with exit status 3"),
        ("while True: print('secret')", "no token"),
    ],
)
def test_what_is_no_token_is_told_and_not_repeated(tmp_path: Path, code: str, why: str) -> None:
    with pytest.raises(NoToken, match=why) as refused:
        CommandTokens(command(tmp_path, code)).with_expiry()
    assert "secret" not in str(refused.value)


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(NoToken, match="/not/there cannot be run: No such file"):
        CommandTokens("/not/there --with 'an argument'").with_expiry()


def test_a_slow_command_is_cut_off_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_RUN_S", 0.5)
    slow = "import subprocess; subprocess.run(['sleep', '60'])"
    began = time.monotonic()
    with pytest.raises(NoToken, match="has not ended within"):
        CommandTokens(command(tmp_path, slow)).with_expiry()
    assert time.monotonic() - began < 10
