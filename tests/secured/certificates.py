"""Certificates for tests: an authority of their own, and what it signs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

HOSTS = ("127.0.0.1", "localhost")


class Authority:
    """Signs certificates; ``ca`` is the file that others trust it by."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(self._authority.cert_pem.bytes())

    def issue(self, name: str, *hosts: str, expired: bool = False) -> Path:
        """Write a PEM file with a private key and its certificate, for ``HOSTS`` without others."""
        ends = datetime.now(UTC) + timedelta(days=-1 if expired else 30)
        issued = self._authority.issue_cert(
            *(hosts or HOSTS),
            common_name=name,
            not_before=ends - timedelta(days=40),
            not_after=ends,
        )
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        # Java reads keys in this form only.
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self._folder / f"{name}.pem"
        path.write_bytes(pem + b"".join(cert.bytes() for cert in issued.cert_chain_pems))
        return path
