"""What runs on this machine listens on loopback, and says so where more is asked for."""

from pathlib import Path
from typing import Any

import pytest

from infra.local.stack import refuse_secured_own, stack
from infra.serve import is_loopback
from schemas.errors import SetupError
from schemas.settings import load_settings

SASL: dict[str, Any] = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_security_username": "ann",
    "kafka_security_password": "secret",
}


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({**SASL, "kafka_bootstrap_servers": None}, "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS"),
        ({"redis_password": "secret"}, "PERENNIAL_REDIS_URL"),
        ({"redis_ca": Path("/ca.pem")}, "PERENNIAL_REDIS_URL"),
        ({"redis_password_file": Path("/secret")}, "PERENNIAL_REDIS_URL"),
        ({"redis_certificate": Path("/ours.pem")}, "PERENNIAL_REDIS_URL"),
    ],
)
def test_services_of_our_own_know_no_users(
    given: dict[str, Any], remedy: str, tmp_path: Path
) -> None:
    settings = load_settings(**{"redis_url": None, **given})
    with (
        pytest.raises(SetupError, match=f"listens on 127.0.0.1 only.*{remedy}") as refused,
        stack(settings, run_dir=tmp_path),
    ):
        pytest.fail("it started")
    assert "secret" not in str(refused.value)


def test_named_services_may_have_users() -> None:
    refuse_secured_own(
        load_settings(**SASL, kafka_bootstrap_servers="h:1", redis_url="redis://:secret@h:1")
    )


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.7", False),
        ("farm.example", False),
        ("", False),
    ],
)
def test_where_pages_are_open_to_others(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
