"""The topic table: one row a topic, from which the CLI creates and the documents describe them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from schemas.conditioning import Activation
from schemas.event import Event
from schemas.gallery import GalleryCommand, GalleryEntry
from schemas.recognition_event import Identification, ReviewDecision, ReviewItem


@dataclass(frozen=True, slots=True)
class Topic:
    """What one topic is for, how it is partitioned and how long it is kept.

    Attributes:
        event: ``None`` where the value is not JSON (image bytes, raw float32, original bytes).
        retention: how long records are kept; ``None``: for ever.
        max_bytes: size of the largest batch of records.
        compression: how the broker stores records; ``None``: as it is set up.
        min_age: how long a record stays before compaction may drop it for a newer one.
    """

    name: str
    key: str
    about: str
    event: type[Event] | None
    partitions: int
    cleanup: str
    retention: timedelta | None
    max_bytes: int = 2 * 2**20
    compression: str | None = None
    min_age: timedelta | None = None

    @property
    def request_bytes(self) -> int:
        """Size of a request, or of its answer, that carries the largest batch and its frame."""
        return self.max_bytes + 2**20

    def config(self) -> dict[str, str]:
        """Return the Kafka topic configuration."""
        config = {"cleanup.policy": self.cleanup, "max.message.bytes": str(self.max_bytes)}
        if self.retention is not None:
            config["retention.ms"] = _ms(self.retention)
        if self.compression is not None:
            config["compression.type"] = self.compression
        if self.min_age is not None:
            config["min.compaction.lag.ms"] = _ms(self.min_age)
        return config


def _ms(time: timedelta) -> str:
    return str(int(time.total_seconds() * 1000))


def _days(days: int) -> timedelta:
    return timedelta(days=days)


# For topics that anybody publishes to, whatever the broker's own setting is: where a broker packs
# anew, it unpacks what comes in its own memory, and a few megabytes that stand for hundreds end it.
# Our readers unpack up to a limit.
_AS_SENT = "producer"

FRAMES = Topic(
    "frames", "source", "Image bytes, or JSON with an image_uri (claim check)",
    None, 4, "delete", _days(7), 24 * 2**20, _AS_SENT,
)  # fmt: skip
EMBEDDINGS = Topic(
    "embeddings", "source", "Unit-norm little-endian float32, metadata in headers",
    None, 4, "delete", _days(7),
)  # fmt: skip
IDENTIFICATIONS = Topic(
    "identifications", "event name", "What was recognised, and on what grounds",
    Identification, 4, "delete", _days(30),
)  # fmt: skip
HUMAN_REVIEW = Topic(
    "human-review", "event name", "What a person should decide, with the candidates and why",
    ReviewItem, 4, "compact,delete", _days(30),
)  # fmt: skip
REVIEW_DECISIONS = Topic(
    "review-decisions", "event name", "Who said what", ReviewDecision, 4, "delete", _days(365),
    compression=_AS_SENT,
)  # fmt: skip
# One partition: the gallery has one writer, and its log one order.
GALLERY_COMMANDS = Topic(
    "gallery-commands", "identity", "Changes somebody wants, with actor and reason",
    GalleryCommand, 1, "delete", _days(365), compression=_AS_SENT,
)  # fmt: skip
GALLERY = Topic(
    "gallery", "entry:<id>, erased:<hash>, term",
    "The entries; a tombstone means erased: the truth behind Redis",
    GalleryEntry, 1, "compact", None, min_age=timedelta(hours=1),
)  # fmt: skip
CONDITIONING = Topic(
    "conditioning", "name", "The active artefact's version and where it lies",
    Activation, 1, "compact", None,
)  # fmt: skip
# Must take whatever `frames` took, with the headers that say why.
DEAD_LETTERS = Topic(
    "dead-letters", "topic-partition-offset of the original",
    "The original bytes; the headers tell where and why",
    None, 4, "compact,delete", _days(30), FRAMES.max_bytes + 2**20,
)  # fmt: skip

TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        topic.name: topic
        for topic in (
            FRAMES,
            EMBEDDINGS,
            IDENTIFICATIONS,
            HUMAN_REVIEW,
            REVIEW_DECISIONS,
            GALLERY_COMMANDS,
            GALLERY,
            CONDITIONING,
            DEAD_LETTERS,
        )
    }
)
