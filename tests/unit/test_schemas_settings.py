"""Settings: each wrong value is named by its variable, with the remedy."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.choices import Device, Precision
from schemas.errors import SetupError
from schemas.settings import Settings, load_settings
from tests.environment import no_settings

FREE = {  # any text will do
    "kafka_bootstrap_servers", "redis_url", "http_host", "variables", "model", "image_uri_allow",
    "s3_endpoint", "shard_by", "kafka_jars", "cache", *(f"kafka_security_{of}" for of in (
        "username", "password", "password_file", "token_command", "ca", "certificate", "key",
        "key_password",
    )), *(f"redis_{of}" for of in ("username", "password", "password_file", "ca", "certificate",
                                   "key")),
}  # fmt: skip

WRONG = {
    "broker": ["kafka", "Apache"],
    "kafka_security_protocol": ["TLS", "sasl_ssl"],
    "kafka_security_mechanism": ["SCRAM", "GSSAPI"],
    "topic_prefix": ["a b", "é", "a/b"],
    "worker_port": ["-1", "65536", "http"],
    "streams_port": ["-1", "65536", "9102.5"],
    "device": ["gpu", "CPU "],
    "precision": ["float16"],
    "runtime": ["tensorrt"],
    "views": ["10", "mirror"],
    "threads": ["0", "-2", "all"],
    "batch_size": ["0", "1025", "8.5"],
    "batch_deadline_ms": ["-1", "nan", "inf", "60001", "soon"],
    "decode_threads": ["0"],
    "in_flight": ["0"],
    "max_image_bytes": ["0", "16MB"],
    "max_image_pixels": ["0"],
    "max_regions": ["0", "1001"],
    "max_background_bytes": ["1", "1048577"],
    "max_clusters": ["0"],
    "image_uri_deadline_s": ["0", "-1", "nan", "inf", "3601"],
    "image_uri_timeout_s": ["0", "-1", "nan", "inf", "3601"],
    "target_fpir": ["0", "1", "-0.1", "5%", "nan"],
    "neighbours": ["0", "1001"],
    "match_batch": ["0"],
    "match_deadline_ms": ["0", "nan", "inf", "60001"],
    "hnsw_above": ["0"],
    "redis_timeout_s": ["0", "nan", "inf", "3601"],
    "verify_interval_s": ["0", "nan", "inf", "604801"],
    "accept_cut_log": ["perhaps", "2"],
    "include": ["perhaps", "2"],
    "include_surer": ["0", "1.1", "nan"],
    "include_new": ["0", "1", "0.8", "nan"],
    "retention_max_age_days": ["0", "-1", "nan"],
    "retention_newest": ["0"],
    "retention_mad": ["0", "nan", "inf"],
    "retention_interval_s": ["0", "nan"],
    "stalled_after_s": ["0", "-1", "nan", "inf"],
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    no_settings(monkeypatch)


def test_every_setting_has_a_default_and_a_description() -> None:
    settings = load_settings()
    assert (settings.device, settings.precision) == (Device.AUTO, Precision.FLOAT32)
    assert settings.retention_max_age is None
    assert all(field.description for field in Settings.model_fields.values())


def test_every_setting_with_a_rule_is_tried_below() -> None:
    assert set(WRONG) == set(Settings.model_fields) - FREE


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = f"PERENNIAL_{name.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(SetupError, match=variable) as caught:
        load_settings()
    assert f"{variable}={value!r}: " in str(caught.value)


@pytest.mark.parametrize("name", ["retention_max_age_days", "retention_interval_s"])
@pytest.mark.parametrize("value", ["inf", "1e30"])
def test_a_time_longer_than_any_clock_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = f"PERENNIAL_{name.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(SetupError, match=variable):
        load_settings()


def test_what_is_new_must_leave_room_below_what_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_INCLUDE_SURER", "0.2")
    with pytest.raises(SetupError, match=r"INCLUDE_NEW=0\.25: .*less than PERENNIAL_INCLUDE_SURER"):
        load_settings()
    monkeypatch.setenv("PERENNIAL_INCLUDE_NEW", "0.1")
    assert (load_settings().include_surer, load_settings().include_new) == (0.2, 0.1)


def test_a_wrong_share_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_INCLUDE_SURER", "7")
    with pytest.raises(SetupError) as caught:
        load_settings()
    assert "PERENNIAL_INCLUDE_NEW" not in str(caught.value)


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_THREADS", "0")
    monkeypatch.setenv("PERENNIAL_DEVICE", "tpu")
    with pytest.raises(SetupError, match=r"(?s)THREADS.*DEVICE|DEVICE.*THREADS") as caught:
        load_settings()
    assert "'auto', 'cpu' or 'cuda'" in str(caught.value)


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2")
    monkeypatch.setenv("PERENNIAL_REDIS_URL", "redis://r:6379/0")
    monkeypatch.setenv("PERENNIAL_VARIABLES", "/etc/variables.yaml")
    monkeypatch.setenv("PERENNIAL_RETENTION_MAX_AGE_DAYS", "1.5")
    monkeypatch.setenv("PERENNIAL_NO_SUCH_THING", "is ignored")
    settings = load_settings()
    assert settings.need_kafka() == "a:1,b:2"
    assert settings.need_redis() == "redis://r:6379/0"
    assert settings.variables == Path("/etc/variables.yaml")
    assert settings.retention_max_age == timedelta(hours=36)


def test_an_argument_outranks_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_BATCH_SIZE", "16")
    assert load_settings().batch_size == 16
    assert load_settings(batch_size=4).batch_size == 4


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("season,light", ("season", "light")),
        (" season , light ,", ("season", "light")),
        ("season", ("season",)),
        ("", ()),
        (" , ", ()),
    ],
)
def test_lists_are_written_with_commas(
    monkeypatch: pytest.MonkeyPatch, text: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PERENNIAL_SHARD_BY", text)
    monkeypatch.setenv("PERENNIAL_IMAGE_URI_ALLOW", text)
    assert load_settings().shard_by == names
    assert load_settings().image_uri_allow == names


def test_lists_may_be_given_as_they_are() -> None:
    assert load_settings(shard_by=("season",)).shard_by == ("season",)
    with pytest.raises(SetupError, match="PERENNIAL_SHARD_BY"):
        load_settings(shard_by=7)


def test_a_service_that_is_not_named_is_asked_for() -> None:
    settings = load_settings()
    with pytest.raises(SetupError, match="PERENNIAL_KAFKA_BOOTSTRAP_SERVERS is not set"):
        settings.need_kafka()
    with pytest.raises(SetupError, match="PERENNIAL_REDIS_URL is not set"):
        settings.need_redis()


def test_an_empty_address_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """``KAFKA=${UNSET}`` in a compose file sets the variable to nothing."""
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", "")
    monkeypatch.setenv("PERENNIAL_REDIS_URL", "")
    with pytest.raises(SetupError, match="PERENNIAL_KAFKA_BOOTSTRAP_SERVERS"):
        load_settings().need_kafka()
    with pytest.raises(SetupError, match="PERENNIAL_REDIS_URL"):
        load_settings().need_redis()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(load_settings(), "batch_size", 2)  # noqa: B010  mypy knows that it is read-only
