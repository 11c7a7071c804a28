"""What Kafka clients are told of servers, users and certificates; Faust: by `access.faust`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from access.certificates import Certificates, renewed_context
from access.tokens import CommandTokens, NoToken, tokens_of
from schemas.access import AccessSettings, Mechanism
from schemas.errors import DependencyDown

Options = dict[str, Any]


def aiokafka_options(settings: AccessSettings) -> Options:
    """Return the arguments for aiokafka's clients.

    Raises:
        SetupError: no broker is named.
        DependencyDown: a password's file cannot be read.
    """
    protocol = settings.kafka_security_protocol
    options: Options = {"bootstrap_servers": settings.need_kafka()}
    if protocol.is_encrypted or protocol.has_user:
        options["security_protocol"] = protocol.value
    if protocol.is_encrypted:
        options["ssl_context"] = renewed_context(Certificates.of_kafka(settings))
    if protocol.has_user:
        options["sasl_mechanism"] = settings.kafka_security_mechanism.value
        options |= _of_aiokafka(user_of(settings))
    return options


def librdkafka_options(settings: AccessSettings) -> Options:
    """Return the configuration of confluent-kafka's clients; raises as the others do."""
    protocol = settings.kafka_security_protocol
    options: Options = {"bootstrap.servers": settings.need_kafka()}
    if protocol.is_encrypted or protocol.has_user:
        options["security.protocol"] = protocol.value
    if protocol.is_encrypted:
        _check_files(settings)
        options |= _files(settings)
    if protocol.has_user:
        options["sasl.mechanism"] = settings.kafka_security_mechanism.value
        user = user_of(settings)
        if isinstance(user, CommandTokens):
            _check_token(user)
            options["oauth_cb"] = user.with_expiry
        else:
            options["sasl.username"], options["sasl.password"] = user
    return options


def principal(settings: AccessSettings) -> str:
    """Return who we are to the broker, as far as it can be told from here."""
    protocol = settings.kafka_security_protocol
    if protocol.has_user and settings.kafka_security_username is not None:
        return f"user {settings.kafka_security_username}"
    if protocol.has_user:
        return "the user of the token"
    if settings.kafka_security_certificate is not None:
        return f"the subject of {settings.kafka_security_certificate}"
    return "the user ANONYMOUS"


def secret_in(path: Path, name: str) -> str:
    """Return the password in a file.

    Raises:
        DependencyDown: it cannot be read, or is empty.
    """
    try:
        secret = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise DependencyDown(name, f"the password's file {path} cannot be read: {why}") from None
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise DependencyDown(name, f"the password's file {path} is empty")
    return secret


def user_of(settings: AccessSettings) -> CommandTokens | tuple[str, str]:
    """Return the tokens, or the name and the password, of our user."""
    command, name = settings.kafka_security_token_command, settings.kafka_security_username
    if settings.kafka_security_mechanism is Mechanism.OAUTHBEARER:
        return tokens_of("" if command is None else command)
    secret, path = settings.kafka_security_password, settings.kafka_security_password_file
    if secret is not None:
        password = secret.get_secret_value()
    else:
        password = "" if path is None else secret_in(path, "kafka")
    return "" if name is None else name, password


def _of_aiokafka(user: CommandTokens | tuple[str, str]) -> Options:
    if isinstance(user, CommandTokens):
        return {"sasl_oauth_token_provider": user}
    return {"sasl_plain_username": user[0], "sasl_plain_password": user[1]}


def _check_token(tokens: CommandTokens) -> None:
    """Ask for a token now: of why there is none, librdkafka would tell nothing."""
    try:
        tokens.with_expiry()
    except NoToken as error:
        raise DependencyDown("kafka", str(error.args[0])) from None


def _check_files(settings: AccessSettings) -> None:
    try:
        Certificates.of_kafka(settings).context()
    except OSError as error:
        raise DependencyDown("kafka", str(error)) from None


def _files(settings: AccessSettings) -> Options:
    secret = settings.kafka_security_key_password
    certificate, key = settings.kafka_security_certificate, settings.kafka_security_key
    wanted: Mapping[str, object] = {
        "ssl.ca.location": settings.kafka_security_ca,
        "ssl.certificate.location": certificate,
        "ssl.key.location": certificate if key is None else key,
        "ssl.key.password": None if secret is None else secret.get_secret_value(),
    }
    return {name: str(value) for name, value in wanted.items() if value is not None}
