"""Apache Kafka with users, TLS and an authorizer that allows nobody anything unasked."""

import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its re-exports are not marked
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from access.rights import Right
from infra.local.apache_kafka import ApacheKafka
from infra.local.processes import free_port
from tests.secured.certificates import Authority

ADMIN, SECRET = "admin", "admins-secret"
PLAIN_USER, PLAIN_SECRET = "plainly", "in the clear"
_ASK_S = 30.0
_PATIENCE_S = 30.0
_KINDS = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
_SECURITY = "org.apache.kafka.common.security"
_OAUTH = f"{_SECURITY}.oauthbearer.OAuthBearerLoginModule required"


class SecuredKafka(ApacheKafka):
    """One node with three listeners: SASL over TLS, SASL behind a proxy, and client certificates.

    Args:
        authority: signs its certificate.
        proxy_port: where whoever connects to ``behind_port`` is told to connect to.
    """

    def __init__(
        self, run_dir: Path, authority: Authority, *, jars: Path | None, proxy_port: int = 0
    ) -> None:
        super().__init__(run_dir, jars=jars)
        self._authority = authority
        self._certificate = authority.issue("broker")
        self.behind_port = free_port()
        self.certificates_port = free_port()
        self._proxy_port = proxy_port or self.behind_port

    @cached_property
    def client(self) -> AdminClient:
        """A client that may do anything."""
        options: dict[str, Any] = {
            "bootstrap.servers": self.address,
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self._authority.ca),
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": ADMIN,
            "sasl.password": SECRET,
            "log_level": 0,
        }
        return AdminClient(options)

    def add_user(self, name: str, password: str) -> None:
        """Let a user log in by SCRAM with this password from now on."""
        for kind in _KINDS:  # a user can be altered but once in a request
            given = ScramCredentialInfo(kind, 4096)
            change = UserScramCredentialUpsertion(name, given, password.encode())
            _all_done(self.client.alter_user_scram_credentials([change]))
        self._wait_for_user(name)

    def _wait_for_user(self, name: str) -> None:
        """Wait until the broker knows a user: it hears of one a moment after it is asked to."""
        give_up = time.monotonic() + _PATIENCE_S
        while time.monotonic() < give_up:
            described: Any = self.client.describe_user_scram_credentials([name])
            with suppress(KafkaException):  # not known yet
                if len(described[name].result().scram_credential_infos) == len(_KINDS):
                    return
            time.sleep(0.02)
        raise TimeoutError(f"the broker does not hear of {name}")

    def remove_user(self, name: str) -> None:
        """Let the user log in no more; connections that stand go on."""
        for kind in _KINDS:
            change = UserScramCredentialDeletion(name, kind)
            _all_done(self.client.alter_user_scram_credentials([change]))

    def grant(self, user: str, rights: Iterable[Right]) -> None:
        """Allow a user just that."""
        _all_done(self.client.create_acls([_binding(user, right) for right in rights]))

    def give(self, user: str, prefix: str) -> None:
        """Allow a user everything on topics and groups whose names begin so."""
        beginning = (ResourcePatternType.PREFIXED, f"User:{user}", "*")
        all_of_it = (AclOperation.ALL, AclPermissionType.ALLOW)
        kinds = (ResourceType.TOPIC, ResourceType.GROUP)
        bindings = [AclBinding(kind, prefix, *beginning, *all_of_it) for kind in kinds]
        _all_done(self.client.create_acls(bindings))

    def revoke(self, user: str, rights: Iterable[Right]) -> None:
        """Take rights away."""
        filters = [
            AclBindingFilter(
                b.restype,
                b.name,
                b.resource_pattern_type,
                b.principal,
                b.host,
                b.operation,
                b.permission_type,
            )
            for b in (_binding(user, right) for right in rights)
        ]
        _all_done(self.client.delete_acls(filters))

    def _users(self) -> list[str]:
        return ["--add-scram", f"SCRAM-SHA-512=[name={ADMIN},password={SECRET}]"]

    def _answers(self) -> bool:
        try:
            return len(self.client.list_topics(timeout=1).brokers) == 1
        except KafkaException:
            return False

    def _config(self) -> dict[str, str]:
        plain = super()._config()
        controller = plain["listeners"].split(",")[1]
        at = "127.0.0.1"
        behind, certificates = f"BEHIND://{at}:{self.behind_port}", f"CERTIFICATES://{at}"
        certificates = f"{certificates}:{self.certificates_port}"
        own = f"SASL_SSL://{self.address}"
        return {
            **plain,
            "listeners": ",".join((own, behind, certificates, controller)),
            "advertised.listeners": f"{own},BEHIND://localhost:{self._proxy_port},{certificates}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,BEHIND:SASL_PLAINTEXT,"
            "CERTIFICATES:SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "SASL_SSL",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER",
            **_logins("sasl_ssl"),
            **_logins("behind"),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._certificate),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.ca),
            "listener.name.certificates.ssl.client.auth": "required",
            "ssl.principal.mapping.rules": "RULE:^CN=([^,]+),.*$/$1/,DEFAULT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # The controller's port has no users: what comes there is the node itself.
            "super.users": f"User:{ADMIN};User:ANONYMOUS",
        }


def _logins(listener: str) -> dict[str, str]:
    begin = f"listener.name.{listener}"
    scram = f'{_SECURITY}.scram.ScramLoginModule required username="{ADMIN}" password="{SECRET}";'
    plain = f'{_SECURITY}.plain.PlainLoginModule required user_{PLAIN_USER}="{PLAIN_SECRET}";'
    oauth = f'{_OAUTH} unsecuredLoginStringClaim_sub="{ADMIN}";'
    return {
        f"{begin}.scram-sha-512.sasl.jaas.config": scram,
        f"{begin}.scram-sha-256.sasl.jaas.config": f"{_SECURITY}.scram.ScramLoginModule required;",
        f"{begin}.plain.sasl.jaas.config": plain,
        f"{begin}.oauthbearer.sasl.jaas.config": oauth,
    }


def _binding(user: str, right: Right) -> AclBinding:
    return AclBinding(
        ResourceType[right.resource.name],
        right.name,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation[right.operation.name],
        AclPermissionType.ALLOW,
    )


def _all_done(futures: dict[Any, Any]) -> None:
    for future in futures.values():
        future.result(_ASK_S)
