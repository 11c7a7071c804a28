"""A single Kafka broker on this machine, of either kind."""

from abc import abstractmethod

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from infra.local.local_server import LocalServer


class LocalBroker(LocalServer):
    """One broker without replicas."""

    name = "kafka"

    @property
    @abstractmethod
    def keeps(self) -> bool:
        """Whether its records survive ``kill`` and ``start``."""

    @property
    def address(self) -> str:
        """Its bootstrap server, ``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        try:
            client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
            return len(client.list_topics(timeout=1).brokers) == 1
        except KafkaException:
            return False
