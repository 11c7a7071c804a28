"""The ``gallery`` topic on Kafka."""

from schemas.errors import SetupError
from schemas.reading import Reading
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, GALLERY
from streams.kafka.read_topic import TopicReader
from streams.kafka.stage import Publish
from streams.kafka.term_log import TermLog


class KafkaGalleryLog(TermLog):
    """The log behind the gallery of a deployment, on one partition; connects when first used."""

    def __init__(
        self, settings: Settings, publish: Publish, reading: Reading | None = None
    ) -> None:
        topic, letters = settings.topic(GALLERY), settings.topic(DEAD_LETTERS)
        self._reader = TopicReader(settings, topic, reading)
        super().__init__(topic, publish, self._reader.read, dead_letters=letters)
        self._accept_cut = settings.accept_cut_log

    async def aclose(self) -> None:
        """Disconnect."""
        await self._reader.close()

    async def _examine(self) -> int:
        begins, claim = await self._reader.begins(), self.fold.claim
        accepted = 0 if claim is None else claim.begins
        if begins <= accepted:
            return accepted
        if self._accept_cut:
            return begins
        raise SetupError(cut_log(self._topic, begins, self.fold.position + 1))


def cut_log(topic: str, begins: int, ends: int) -> str:
    """Say that records are missing at the beginning of the log, and what can be done."""
    return (
        f"{topic} begins at offset {begins} and ends at {ends}: its first records were deleted, "
        "which compaction does not do (was its cleanup.policy ever 'delete'?). The entries that "
        "they held are lost to the gallery. Put a backup of the topic back, or start once with "
        "`perennial streams --accept-cut-log` to go on with what is left"
    )
