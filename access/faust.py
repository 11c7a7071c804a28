"""What Faust is told of servers, users and certificates; apart, since importing it is slow."""

import faust

from access.certificates import Certificates, renewed_context
from access.kafka import Options, user_of
from access.tokens import CommandTokens
from schemas.access import AccessSettings


def faust_options(settings: AccessSettings) -> Options:
    """Return the arguments for a Faust app; raises as ``aiokafka_options`` does."""
    servers = settings.need_kafka().split(",")
    options: Options = {"broker": ";".join(f"kafka://{server.strip()}" for server in servers)}
    protocol = settings.kafka_security_protocol
    context = renewed_context(Certificates.of_kafka(settings)) if protocol.is_encrypted else None
    if not protocol.has_user:
        if context is not None:
            options["broker_credentials"] = faust.SSLCredentials(context)
        return options
    user = user_of(settings)
    if isinstance(user, CommandTokens):
        tokens = faust.auth.OAuthCredentials(oauth_cb=user, ssl_context=context)
        return {**options, "broker_credentials": tokens}
    login = faust.SASLCredentials(
        username=user[0],
        password=user[1],
        mechanism=settings.kafka_security_mechanism.value,
        ssl_context=context,
    )
    return {**options, "broker_credentials": login}
