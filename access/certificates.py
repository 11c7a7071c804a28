"""TLS that reads its certificates anew for each connection: renewed ones need no restart."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from schemas.access import AccessSettings


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: who signs the other side (unset: the system's authorities), and our own."""

    ca: Path | None
    certificate: Path | None
    key: Path | None
    key_password: SecretStr | None = None

    @classmethod
    def of_kafka(cls, settings: AccessSettings) -> "Certificates":
        """Return those for brokers."""
        return cls(
            settings.kafka_security_ca,
            settings.kafka_security_certificate,
            settings.kafka_security_key,
            settings.kafka_security_key_password,
        )

    @classmethod
    def of_redis(cls, settings: AccessSettings) -> "Certificates":
        """Return those for Redis."""
        return cls(settings.redis_ca, settings.redis_certificate, settings.redis_key)

    def context(self) -> ssl.SSLContext:
        """Read the files.

        Raises:
            OSError: one cannot be read, or is not what it should be; the message names it.
        """
        context = ssl.create_default_context() if self.ca is None else _trusting(self.ca)
        if self.certificate is not None:
            self._show_ours(context, self.certificate)
        return context

    def _show_ours(self, context: ssl.SSLContext, certificate: Path) -> None:
        secret = self.key_password
        # Always given: without it OpenSSL would ask for one on the terminal.
        password = "" if secret is None else secret.get_secret_value()
        try:
            context.load_cert_chain(certificate, self.key, lambda: password)
        except OSError as error:
            files = " with ".join(str(path) for path in (certificate, self.key) if path is not None)
            raise OSError(f"our certificate cannot be used ({files}): {_reason(error)}") from None


class RenewedContext(ssl.SSLContext):
    """A context that reads its files for each connection, as asyncio makes them."""

    certificates: Certificates

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection with what the files hold now."""
        return self.certificates.context().wrap_bio(*args, **options)


def renewed_context(certificates: Certificates) -> ssl.SSLContext:
    """Return a context that reads the files for each connection."""
    context = RenewedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.certificates = certificates
    return context


def _trusting(ca: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise OSError(f"the authorities in {ca} cannot be read: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
