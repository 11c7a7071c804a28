"""Settings of access: what is accepted, what is refused by half, and that no password is shown."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.access import SecurityProtocol
from schemas.errors import SetupError
from schemas.settings import Settings, environment, load_settings
from tests.environment import no_settings

SECRET = "s3cr%t @:/?#'\""
QUOTED = "s3cr%25t%20%40%3A%2F%3F%23%27%22"
SCRAM: dict[str, Any] = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_security_username": "ann",
    "kafka_security_password": SECRET,
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    no_settings(monkeypatch)


def test_a_url_is_taken_apart() -> None:
    settings = load_settings(redis_url=f"rediss://ann:{QUOTED}@host:6379/2")
    assert settings.need_redis() == "rediss://host:6379/2"
    assert settings.redis_username == "ann"
    assert settings.redis_password is not None
    assert settings.redis_password.get_secret_value() == SECRET
    assert settings.redis_shown == "rediss://ann:***@host:6379/2"


@pytest.mark.parametrize(
    ("url", "bare", "shown"),
    [
        ("redis://host:6379/0", "redis://host:6379/0", "redis://host:6379/0"),
        ("redis://:pass@host", "redis://host", "redis://:***@host"),
        ("redis://ann@host", "redis://host", "redis://ann@host"),
        ("redis://@host", "redis://host", "redis://host"),
        ("unix://ann:pass@/run/redis.sock?db=1", "unix:///run/redis.sock?db=1",
         "unix://ann:***@/run/redis.sock?db=1"),
        ("localhost", "localhost", "localhost"),
    ],
)  # fmt: skip
def test_each_form_of_url(url: str, bare: str, shown: str) -> None:
    settings = load_settings(redis_url=url)
    assert (settings.need_redis(), settings.redis_shown) == (bare, shown)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cr/t@host:6379/0",
        "redis://:12/s3cr@host:6379/0",
        "redis://:s3cr?t@host:6379/0",
        "redis://u:12?s3cr@host:6379/0",
        "redis://u:12#s3cr@host:6379/0",
        "redis://:s3cr@t@host:6379/0",
        "redis://:s3cr[t@host:6379/0",
        "redis://host:6379/0?password=s3cr",
    ],
)
def test_a_password_that_breaks_the_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SetupError, match="PERENNIAL_REDIS_PASSWORD") as refused:
        load_settings(redis_url=url)
    assert "s3cr" not in str(refused.value)
    assert "s3cr" not in str(refused.value.__cause__)


def test_a_password_given_twice_is_refused() -> None:
    with pytest.raises(SetupError, match="PERENNIAL_REDIS_URL has one too") as refused:
        load_settings(redis_url="redis://:other@host", redis_password=SECRET)
    assert "other" not in str(refused.value)
    with pytest.raises(SetupError, match=r"PERENNIAL_REDIS_PASSWORD_FILE.*set one of the two"):
        load_settings(redis_password=SECRET, redis_password_file=Path("/run/secret"))


def test_no_way_of_showing_the_settings_shows_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(**SCRAM, redis_url=f"redis://ann:{QUOTED}@host")
    shown = [str(settings), repr(settings), settings.model_dump_json(), str(settings.model_dump())]
    for text in shown:
        assert SECRET not in text
        assert "s3cr" not in text


def test_a_child_reads_the_same_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(**SCRAM, redis_url=f"redis://ann:{QUOTED}@host", threads=2)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"kafka_security_password": SECRET}, "PLAINTEXT does not use it"),
        ({"kafka_security_ca": "/ca.pem"}, "PLAINTEXT does not use it"),
        ({**SCRAM, "kafka_security_protocol": "SSL"}, "SSL does not use it"),
        (
            {**SCRAM, "kafka_security_protocol": "SASL_PLAINTEXT", "kafka_security_ca": "/ca"},
            "SASL_PLAINTEXT does not use it",
        ),
        ({"kafka_security_protocol": "SASL_SSL"}, "KAFKA_SECURITY_USERNAME is needed by SCRAM"),
        (
            {"kafka_security_protocol": "SASL_SSL", "kafka_security_username": "ann"},
            "KAFKA_SECURITY_PASSWORD is needed by SCRAM",
        ),
        (
            {**SCRAM, "kafka_security_mechanism": "OAUTHBEARER"},
            "KAFKA_SECURITY_TOKEN_COMMAND is needed by OAUTHBEARER",
        ),
        (
            {**SCRAM, "kafka_security_password_file": "/secret"},
            r"PASSWORD_FILE: .*set one of the two",
        ),
    ],
)
def test_security_by_half_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(SetupError, match=why) as refused:
        load_settings(**given)
    assert "s3cr" not in str(refused.value)


def test_a_wrong_protocol_is_named_with_what_is_accepted() -> None:
    with pytest.raises(SetupError, match=r"PROTOCOL='TLS': .*'SASL_SSL'"):
        load_settings(kafka_security_protocol="TLS")


def test_a_password_that_is_none_is_not_shown() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**{**SCRAM, "kafka_security_password": [SECRET]})
    assert "s3cr" not in str(refused.value)
    with pytest.raises(SetupError) as told:
        load_settings(**{**SCRAM, "kafka_security_password": [SECRET]})
    assert "s3cr" not in str(told.value)


def test_what_a_protocol_means() -> None:
    assert [p for p in SecurityProtocol if p.is_encrypted] == ["SSL", "SASL_SSL"]
    assert [p for p in SecurityProtocol if p.has_user] == ["SASL_PLAINTEXT", "SASL_SSL"]
