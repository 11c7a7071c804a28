"""A Kafka and a Redis with users and TLS; each role is a user of its own, with its rights only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from access.rights import Role, kafka_rights, redis_commands, redis_rules
from infra.local.embedded import EmbeddedRedis
from infra.local.processes import free_port
from schemas.settings import Settings, load_settings
from tests.secured.certificates import Authority
from tests.secured.kafka import ADMIN, SECRET, SecuredKafka
from tests.secured.tls_proxy import TlsProxy

PASSWORDS = {role: f"%{role}'s p@ss:w/ord #1? \"" for role in Role}
"""Whatever trips over such a password shall do so here."""


@dataclass(frozen=True, slots=True)
class SecuredServices:
    """What runs, and how one gets in."""

    authority: Authority
    kafka: SecuredKafka
    redis: EmbeddedRedis
    kafka_proxy: TlsProxy
    redis_proxy: TlsProxy

    @property
    def behind_proxy(self) -> dict[str, Any]:
        """What differs in the settings of whoever comes by the proxy, which may be harmed."""
        return {"kafka_bootstrap_servers": f"localhost:{self.kafka_proxy.port}"}

    @property
    def admin(self) -> dict[str, Any]:
        """Settings of whoever may do anything."""
        return self._login(ADMIN, SECRET)

    def as_role(self, settings: Settings, role: Role, *more: Role) -> Settings:
        """Return the settings of a user who may do in this deployment what the roles need."""
        for each in (role, *more):
            self.kafka.grant(role, kafka_rights(settings, each))
        self.let_in(role, PASSWORDS[role], redis_rules(settings, role))
        return settings.model_copy(update=self.user(role))

    def user(self, role: Role) -> dict[str, Any]:
        """Return the settings that make one the user of a role."""
        return self._copied(role, PASSWORDS[role])

    def as_owner(self, settings: Settings) -> Settings:
        """Return the settings of a user who may do all on Kafka below the prefix, and nothing else.

        In Redis the commands of the streams are all that anything needs.
        """
        name = f"owner-{settings.topic_prefix}"
        self.kafka.add_user(name, SECRET)
        self.kafka.give(name, settings.topic_prefix)
        keys = ("resetkeys", "resetchannels", f"~{settings.topic_prefix}*", "-@all")
        commands = (f"+{command}" for command in redis_commands(Role.STREAMS))
        self.let_in(name, SECRET, [*keys, *commands])
        return settings.model_copy(update=self._copied(name, SECRET))

    def as_stranger(self, settings: Settings) -> Settings:
        """Return the settings of a user who may publish; kcat cannot say the roles' passwords."""
        name = f"stranger-{settings.topic_prefix}"
        self.kafka.add_user(name, SECRET)
        self.kafka.grant(name, kafka_rights(settings, Role.PUBLISHER))
        return settings.model_copy(update=self._copied(name, SECRET))

    def _copied(self, name: str, password: str) -> dict[str, Any]:
        checked = load_settings(**self._login(name, password))
        return {key: getattr(checked, key) for key in self._login(name, password)}

    def _login(self, name: str, password: str) -> dict[str, Any]:
        return {
            "kafka_bootstrap_servers": self.kafka.address,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_security_username": name,
            "kafka_security_password": password,
            "kafka_security_ca": self.authority.ca,
            "redis_url": f"rediss://127.0.0.1:{self.redis_proxy.port}/0",
            "redis_username": name,
            "redis_password": password,
            "redis_ca": self.authority.ca,
        }

    def let_in(self, name: str, password: str, rules: list[str]) -> None:
        """Let a user into Redis by this password, with these rules."""
        with self.redis_admin() as client:
            client.execute_command("ACL", "SETUSER", name, "reset", "on", f">{password}", *rules)

    def redis_admin(self) -> Redis:
        """Return a client that may do anything."""
        port = self.redis.port
        return Redis(port=port, username=ADMIN, password=SECRET, decode_responses=True)


@contextmanager
def secured_services(run_dir: Path, jars: Path | None) -> Iterator[SecuredServices]:
    """Run them; ``admin`` may do anything, and each role can log in and may do nothing yet."""
    authority, proxy_port = Authority(run_dir), free_port()
    with (
        SecuredKafka(run_dir, authority, jars=jars, proxy_port=proxy_port) as kafka,
        TlsProxy(kafka.behind_port, authority.issue("behind"), proxy_port) as kafka_proxy,
        EmbeddedRedis(run_dir) as redis,
        TlsProxy(redis.port, authority.issue("redis")) as proxy,
    ):
        for role, password in PASSWORDS.items():
            kafka.add_user(role, password)
        with Redis(port=redis.port) as client:
            everything = ("on", f">{SECRET}", "~*", "&*", "+@all")
            client.execute_command("ACL", "SETUSER", ADMIN, *everything)
            client.execute_command("ACL", "SETUSER", "default", "off")
        yield SecuredServices(authority, kafka, redis, kafka_proxy, proxy)
