"""Where Kafka and Redis are and who we are there: settings that every client of ours is made of."""

from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings

from schemas.errors import SetupError


class SecurityProtocol(StrEnum):
    """How a connection to Kafka is made, in Kafka's own words."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)

    @property
    def has_user(self) -> bool:
        """Whether a user logs in by SASL."""
        return self in (SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL)


class Mechanism(StrEnum):
    """How a user proves who it is, in Kafka's own words."""

    SCRAM_SHA_512 = "SCRAM-SHA-512"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    PLAIN = "PLAIN"
    OAUTHBEARER = "OAUTHBEARER"


class AccessSettings(BaseSettings):
    """Addresses, users and certificates; a password is never shown, whoever prints the settings."""

    kafka_bootstrap_servers: str | None = Field(
        None, description="Broker addresses, `host:port,host:port`; unset: a broker of our own"
    )
    kafka_security_protocol: SecurityProtocol = Field(
        SecurityProtocol.PLAINTEXT,
        description="How to connect to Kafka: `SSL` and `SASL_SSL` are encrypted, with `SASL` a "
        "user logs in",
    )
    kafka_security_mechanism: Mechanism = Field(
        Mechanism.SCRAM_SHA_512, description="How that user proves who it is"
    )
    kafka_security_username: str | None = Field(None, description="That user")
    kafka_security_password: SecretStr | None = Field(
        None, description="Its password; or name a file that holds it"
    )
    kafka_security_password_file: Path | None = Field(
        None, description="File with that password; one line break at its end is no part of it"
    )
    kafka_security_token_command: str | None = Field(
        None,
        description="For `OAUTHBEARER`: a program and its arguments, run without a shell for each "
        "new token, which it prints",
    )
    kafka_security_ca: Path | None = Field(
        None, description="PEM file of the authorities that sign brokers; unset: the system's"
    )
    kafka_security_certificate: Path | None = Field(
        None, description="PEM file of our own certificate, for brokers that ask for one"
    )
    kafka_security_key: Path | None = Field(
        None, description="PEM file of its private key; unset: in the same file"
    )
    kafka_security_key_password: SecretStr | None = Field(
        None, description="Password of that key, where it has one"
    )
    redis_url: str | None = Field(
        None,
        description="Redis with vector search, `redis://host:6379/0`, over TLS "
        "`rediss://host:6379/0`; unset: the embedded one",
    )
    redis_username: str | None = Field(
        None, description="ACL user of Redis; it may stand in the URL instead"
    )
    redis_password: SecretStr | None = Field(
        None, description="Its password; it may stand in the URL, percent-encoded, instead"
    )
    redis_password_file: Path | None = Field(None, description="File with that password")
    redis_ca: Path | None = Field(
        None, description="PEM file of the authorities that sign Redis; unset: the system's"
    )
    redis_certificate: Path | None = Field(None, description="PEM file of our own certificate")
    redis_key: Path | None = Field(
        None, description="PEM file of its private key; unset: in the same file"
    )
    http_host: str = Field(
        "127.0.0.1",
        description="Where /metrics and the health pages listen; they have no password, so "
        "anything but loopback is to be meant",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_the_url_apart(cls, values: Any) -> Any:
        """Take user and password out of the URL of Redis, so that it can be shown."""
        url = values.get("redis_url") if isinstance(values, dict) else None
        return values if not isinstance(url, str) else {**values, **_without_user(url, values)}

    @field_validator("kafka_security_password_file", "redis_password_file")
    @classmethod
    def _named_once(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get(str(info.field_name).removesuffix("_file")):
            raise ValueError("the password is given already: set one of the two")
        return value

    @model_validator(mode="after")
    def _whole(self) -> "AccessSettings":
        """Refuse security that is set up by half: what is not used would be believed to be."""
        protocol, begin = self.kafka_security_protocol, "kafka_security_"
        given = {
            name
            for name, field in type(self).model_fields.items()
            if name.startswith(begin) and getattr(self, name) != field.default
        } - {"kafka_security_protocol"}
        of_tls = {f"{begin}{part}" for part in ("ca", "certificate", "key", "key_password")}
        unused = sorted(
            name
            for name in given
            if not (protocol.is_encrypted if name in of_tls else protocol.has_user)
        )
        if unused:
            raise ValueError(
                f"{variable(unused[0])} is set, and PERENNIAL_KAFKA_SECURITY_PROTOCOL={protocol} "
                "does not use it"
            )
        if protocol.has_user:
            self._refuse_nobody()
        return self

    def _refuse_nobody(self) -> None:
        if self.kafka_security_mechanism is Mechanism.OAUTHBEARER:
            needed = {"kafka_security_token_command": self.kafka_security_token_command}
        else:
            secret = self.kafka_security_password or self.kafka_security_password_file
            needed = {
                "kafka_security_username": self.kafka_security_username,
                "kafka_security_password": "given" if secret else None,
            }
        for name, value in needed.items():
            if not value:
                raise ValueError(f"{variable(name)} is needed by {self.kafka_security_mechanism}")

    def need_kafka(self) -> str:
        """Return the broker's address."""
        return _needed(self.kafka_bootstrap_servers, "kafka_bootstrap_servers")

    def need_redis(self) -> str:
        """Return the Redis URL, which has neither user nor password in it."""
        return _needed(self.redis_url, "redis_url")

    @property
    def redis_shown(self) -> str:
        """The Redis URL with its user, and three stars for a password."""
        has_password = self.redis_password is not None or self.redis_password_file is not None
        user = (self.redis_username or "") + (":***" if has_password else "")
        url = self.need_redis()
        return url.replace("://", f"://{user}@", 1) if user else url


def variable(name: str) -> str:
    """Return the environment's name of a setting."""
    return f"PERENNIAL_{name.upper()}"


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise SetupError(
            f"{variable(name)} is not set: name a running service, or use `perennial up`"
        )
    return value


def _without_user(url: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that a URL of Redis stands for; what it says twice is refused."""
    try:
        at = urlsplit(url)
        _ = at.port
    except ValueError:
        at = SplitResult("", "", "", "", "#")
    user, has_user, _ = at.netloc.rpartition("@")
    if "password=" in at.query or at.fragment or "@" in at.path + at.query + user:
        # Whatever it is, it is not shown: a part of it may be the password.
        raise ValueError(
            "PERENNIAL_REDIS_URL cannot be read: write redis://host:6379/0, and the password into "
            "PERENNIAL_REDIS_PASSWORD (in the URL its @ : / ? # % must be percent-encoded)"
        )
    name, _, password = user.partition(":")
    parts = {"redis_username": unquote(name), "redis_password": unquote(password)}
    for key, part in parts.items():
        if part and values.get(key):
            raise ValueError(f"{variable(key)} is set, and PERENNIAL_REDIS_URL has one too")
    bare = url.replace(user + has_user, "", 1) if has_user else url
    return {"redis_url": bare, **{key: part for key, part in parts.items() if part}}
