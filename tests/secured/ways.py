"""The ways to get into the secured Kafka."""

import sys
from pathlib import Path

from access.rights import Role
from schemas.settings import Settings, load_settings
from tests.secured.kafka import ADMIN, PLAIN_SECRET, PLAIN_USER
from tests.secured.services import PASSWORDS, SecuredServices


def token_command(folder: Path, subject: str) -> str:
    script = folder / "token.py"
    script.write_text(
        "import base64, json, time\n"
        "part = lambda o: base64.urlsafe_b64encode(json.dumps(o).encode()).rstrip(b'=').decode()\n"
        "now = time.time()\n"
        f"claims = {{'sub': {str(subject)!r}, 'iat': now, 'exp': now + 300}}\n"
        "print(part({'alg': 'none'}) + '.' + part(claims) + '.')\n"
    )
    return f"{sys.executable} {script}"


def way(secured: SecuredServices, name: str, folder: Path, who: str = ADMIN) -> Settings:
    """Return the settings of one way to get in; by a token or a certificate, as who one wants."""
    bare = {
        "kafka_bootstrap_servers": secured.kafka.address,
        "kafka_security_ca": secured.authority.ca,
        "kafka_security_protocol": "SASL_SSL",
    }
    scram = {
        "kafka_security_username": Role.PUBLISHER,
        "kafka_security_password": PASSWORDS[Role.PUBLISHER],
    }
    plain = {"kafka_security_username": PLAIN_USER, "kafka_security_password": PLAIN_SECRET}
    ways = {
        "SCRAM-SHA-512": scram,
        "SCRAM-SHA-256": scram,
        "PLAIN": plain,
        "OAUTHBEARER": {"kafka_security_token_command": token_command(folder, who)},
    }
    if name in ways:
        return load_settings(**bare, **ways[name], kafka_security_mechanism=name)
    ours = {"kafka_security_certificate": secured.authority.issue(who)}
    at = f"127.0.0.1:{secured.kafka.certificates_port}"
    own = {"kafka_security_protocol": "SSL", "kafka_bootstrap_servers": at}
    return load_settings(**{**bare, **own, **ours})
