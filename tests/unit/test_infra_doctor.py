import time
from pathlib import Path
from typing import Any, Self

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from client import doctor
from client.doctor import Finding, Level, examine
from schemas.settings import Settings
from tests.environment import default_settings


class FakeRedis:
    """Answers as a Redis would that is set up as told."""

    def __init__(self, **setup: Any) -> None:
        usual = {"search": 21005, "on_timeout": "fail", "policy": "noeviction", "limit": 0}
        self.setup = {**usual, **setup}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def info(self, section: str) -> dict[str, Any]:
        server = {"redis_version": "8.2.3"}
        memory = {"maxmemory_policy": self.setup["policy"], "maxmemory": self.setup["limit"]}
        return server if section == "server" else memory

    def module_list(self) -> list[dict[str, Any]]:
        version = self.setup["search"]
        return [] if version is None else [{"name": "search", "ver": version}]

    def execute_command(self, *_: str) -> Any:
        if self.setup.get("new"):
            raise ResponseError("unknown command 'FT.CONFIG'")
        return [["ON_TIMEOUT", self.setup["on_timeout"]]]

    def config_get(self, name: str) -> dict[str, str]:
        return {name: self.setup["on_timeout"]}

    def time(self) -> tuple[int, int]:
        return int(time.time() + self.setup.get("ahead_s", 0)), 0


@pytest.fixture(autouse=True)
def nothing_set_and_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    default_settings(monkeypatch)
    monkeypatch.setattr(doctor, "_model", lambda *_, **__: iter(()))


def found(
    monkeypatch: pytest.MonkeyPatch, redis: FakeRedis, url: str = "redis://localhost"
) -> dict[str, Finding]:
    monkeypatch.setattr(Redis, "from_url", lambda *_, **__: redis)
    return {finding.name: finding for finding in examine(Settings(redis_url=url))}


def test_a_sound_redis_is_all_right(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = found(monkeypatch, FakeRedis())
    names = ("redis", "search", "timeouts", "eviction")
    assert [findings[name].level for name in names] == [Level.OK] * 4
    assert findings["search"].detail == "RediSearch 2.10.5"


@pytest.mark.parametrize(
    ("setup", "name", "level", "remedy"),
    [
        ({"search": None}, "search", Level.FAIL, "Redis 8, Redis Stack or the embedded"),
        ({"search": 20000}, "search", Level.FAIL, "Redis 8, Redis Stack or the embedded"),
        ({"on_timeout": "return"}, "timeouts", Level.WARN, "FT.CONFIG SET ON_TIMEOUT FAIL"),
        ({"on_timeout": "return", "new": True}, "timeouts", Level.WARN, "ON_TIMEOUT FAIL"),
        ({"on_timeout": "fail", "new": True}, "timeouts", Level.OK, ""),
        ({"policy": "allkeys-lru"}, "eviction", Level.WARN, "maxmemory-policy noeviction"),
        (
            {"policy": "allkeys-lru", "limit": 10_000_000},
            "eviction",
            Level.FAIL,
            "maxmemory-policy noeviction",
        ),
        ({"ahead_s": 60}, "clock", Level.WARN, "NTP"),
        ({"ahead_s": -60}, "clock", Level.WARN, "NTP"),
    ],
)
def test_what_is_wrong_with_redis_comes_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, setup: dict[str, Any], name: str, level: Level, remedy: str
) -> None:
    finding = found(monkeypatch, FakeRedis(**setup))[name]
    assert finding.level is level
    assert remedy in finding.remedy


def test_which_clock_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "behind Redis" in found(monkeypatch, FakeRedis(ahead_s=60))["clock"].detail
    assert "ahead of Redis" in found(monkeypatch, FakeRedis(ahead_s=-60))["clock"].detail


def test_passwords_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = found(monkeypatch, FakeRedis(), "redis://ann:secret@host:6379/0")
    assert "redis://ann:***@host:6379/0, Redis 8.2.3" in findings["redis"].detail
    assert not [f for f in findings.values() if "secret" in f.detail + f.remedy]


def test_an_address_that_is_none_is_told() -> None:
    findings = {finding.name: finding for finding in examine(Settings(redis_url="localhost"))}
    assert findings["redis"].level is Level.FAIL
    assert "redis://host:6379/0" in findings["redis"].remedy


def test_without_addresses_the_embedded_services_will_do() -> None:
    findings = {finding.name: finding for finding in examine(Settings())}
    assert findings["broker"].level is Level.WARN
    assert "`perennial up` starts an embedded one" in findings["redis"].remedy


def test_without_addresses_and_wheels_nothing_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_EMBEDDED", ("no_such_package",))
    findings = {finding.name: finding for finding in examine(Settings())}
    assert findings["broker"].level is Level.FAIL
    assert "perennial[embedded]" in findings["broker"].remedy


def test_the_declaration_of_variables_is_read(tmp_path: Path) -> None:
    path = tmp_path / "variables.yaml"
    path.write_text("variables:\n  season: {type: nominal}\n")
    findings = {finding.name: finding for finding in examine(Settings(variables=path))}
    assert (findings["variables"].level, findings["variables"].detail) == (Level.OK, "season")
    path.write_text("variables: 7")
    findings = {finding.name: finding for finding in examine(Settings(variables=path))}
    assert findings["variables"].level is Level.FAIL
    assert str(path) in findings["variables"].detail
