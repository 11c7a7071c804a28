"""What each client is told, and how refusals are put into words."""

import ssl
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from access.certificates import Certificates
from access.faust import faust_options
from access.kafka import aiokafka_options, librdkafka_options, principal
from access.redis import async_redis_client, redis_client
from access.refusals import refused, rights_named
from access.rights import Operation
from access.tokens import CommandTokens
from schemas.errors import DependencyDown, NotAllowed
from schemas.settings import Settings, load_settings
from tests.secured.certificates import Authority

SECRET = "s3cr%t @:/?#'\""


def secured(**more: Any) -> Settings:
    given = {
        "kafka_bootstrap_servers": "a:1,b:2",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_security_username": "ann",
        "kafka_security_password": SECRET,
    }
    return load_settings(**{k: v for k, v in {**given, **more}.items() if v is not None})


def test_without_security_clients_are_told_of_the_address_only() -> None:
    settings = load_settings(kafka_bootstrap_servers="a:1,b:2")
    assert aiokafka_options(settings) == {"bootstrap_servers": "a:1,b:2"}
    assert librdkafka_options(settings) == {"bootstrap.servers": "a:1,b:2"}
    assert faust_options(settings) == {"broker": "kafka://a:1;kafka://b:2"}
    assert principal(settings) == "the user ANONYMOUS"


def test_a_password_reaches_every_client_as_it_is() -> None:
    settings = secured()
    assert aiokafka_options(settings)["sasl_plain_password"] == SECRET
    assert librdkafka_options(settings)["sasl.password"] == SECRET
    login = faust_options(settings)["broker_credentials"]
    assert isinstance(login, faust.SASLCredentials)
    assert (login.username, login.password, login.mechanism.value) == (
        "ann",
        SECRET,
        "SCRAM-SHA-512",
    )
    assert login.protocol.value == "SASL_SSL"
    assert SECRET not in repr(login)
    assert principal(settings) == "user ann"


def test_a_password_may_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    settings = secured(kafka_security_password=None, kafka_security_password_file=path)
    for options in (aiokafka_options, faust_options, librdkafka_options):
        with pytest.raises(DependencyDown, match=f"{path} cannot be read: No such file"):
            options(settings)
    path.write_text(f" {SECRET} \n")
    assert librdkafka_options(settings)["sasl.password"] == f" {SECRET} "
    path.write_bytes(b"\xff")
    with pytest.raises(DependencyDown, match="not UTF-8"):
        librdkafka_options(settings)
    path.write_text("\n")
    with pytest.raises(DependencyDown, match="is empty"):
        librdkafka_options(settings)


def test_tokens_are_the_same_for_all_clients() -> None:
    settings = secured(
        kafka_security_mechanism="OAUTHBEARER",
        kafka_security_token_command="echo token",
        kafka_security_username=None,
        kafka_security_password=None,
    )
    provider = aiokafka_options(settings)["sasl_oauth_token_provider"]
    assert isinstance(provider, CommandTokens)
    assert faust_options(settings)["broker_credentials"].oauth_cb is provider
    assert librdkafka_options(settings)["oauth_cb"] == provider.with_expiry
    assert principal(settings) == "the user of the token"


def test_certificates_without_a_user(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.issue("ours")
    settings = load_settings(
        kafka_bootstrap_servers="a:1",
        kafka_security_protocol="SSL",
        kafka_security_ca=authority.ca,
        kafka_security_certificate=ours,
    )
    assert isinstance(faust_options(settings)["broker_credentials"], faust.SSLCredentials)
    assert isinstance(aiokafka_options(settings)["ssl_context"], ssl.SSLContext)
    assert librdkafka_options(settings) == {
        "bootstrap.servers": "a:1",
        "security.protocol": "SSL",
        "ssl.ca.location": str(authority.ca),
        "ssl.certificate.location": str(ours),
        "ssl.key.location": str(ours),
    }
    assert principal(settings) == f"the subject of {ours}"
    Certificates.of_kafka(settings).context()


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing of the kind")
    with pytest.raises(OSError, match=f"authorities in {tmp_path}/none.pem cannot be read"):
        Certificates(tmp_path / "none.pem", None, None).context()
    with pytest.raises(OSError, match=f"authorities in {broken} cannot be read"):
        Certificates(broken, None, None).context()
    with pytest.raises(OSError, match=f"our certificate cannot be used .{broken}"):
        Certificates(authority.ca, broken, None).context()


def test_a_redis_client_has_user_and_certificates(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    settings = load_settings(
        redis_url="rediss://h:1/2", redis_username="ann", redis_password_file=secret,
        redis_ca=tmp_path / "ca.pem",
    )  # fmt: skip
    for client in (redis_client(settings), async_redis_client(settings)):
        told = client.connection_pool.connection_kwargs
        assert told["credential_provider"].get_credentials() == ("ann", SECRET)
        assert (told["host"], told["db"], told["ssl_ca_certs"]) == ("h", 2, f"{tmp_path}/ca.pem")


def test_a_redis_password_may_have_no_user() -> None:
    client = redis_client(load_settings(redis_url="redis://:pass@h:1"))
    told = client.connection_pool.connection_kwargs
    assert told["credential_provider"].get_credentials() == ("pass",)
    assert "ssl_ca_certs" not in told


@pytest.mark.parametrize(
    ("error", "right"),
    [
        (TopicAuthorizationFailedError("frames"), "Write on topic frames"),
        (TopicAuthorizationFailedError({"b", "a"}), "Write on topic a, b"),
        (TopicAuthorizationFailedError(), "the broker does not say"),
        (GroupAuthorizationFailedError("workers"), "Read on group workers"),
    ],
)
def test_a_missing_right_is_named(error: Exception, right: str) -> None:
    with (
        pytest.raises(NotAllowed, match=rf"kafka: user ann lacks on a:1,b:2: .*{right}"),
        rights_named(secured(), Operation.WRITE),
    ):
        raise error


@pytest.mark.parametrize(
    ("why", "plainly"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
         "a certificate has expired"),
        ("certificate verify failed: Hostname mismatch, certificate is not valid for 'a'",
         "another host name"),
        ("certificate verify failed: self-signed certificate in chain", "whom we trust"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "does not speak TLS"),
        ("SaslAuthenticationFailed: Authentication failed", "name or password is wrong"),
        ("ssl/tls alert bad certificate: SSL alert number 42", "refuses our certificate"),
        ("Connection refused", "no answer from"),
    ],
)  # fmt: skip
def test_refusals_are_put_plainly(why: str, plainly: str) -> None:
    assert plainly in str(refused(secured(), why))
