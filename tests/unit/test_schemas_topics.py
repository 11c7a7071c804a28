"""The topic table is DESIGN §3, row by row."""

import pytest

from schemas.conditioning import Activation
from schemas.event import Event
from schemas.gallery import GalleryCommand, GalleryEntry
from schemas.recognition_event import Identification, ReviewDecision, ReviewItem
from schemas.settings import load_settings
from schemas.topics import (
    DEAD_LETTERS,
    EMBEDDINGS,
    FRAMES,
    GALLERY,
    GALLERY_COMMANDS,
    REVIEW_DECISIONS,
    TOPICS,
)

ROWS: list[tuple[str, str, type[Event] | None, str, int | None]] = [
    ("frames", "source", None, "delete", 7),
    ("embeddings", "source", None, "delete", 7),
    ("identifications", "event name", Identification, "delete", 30),
    ("human-review", "event name", ReviewItem, "compact,delete", 30),
    ("review-decisions", "event name", ReviewDecision, "delete", 365),
    ("gallery-commands", "identity", GalleryCommand, "delete", 365),
    ("gallery", "entry:<id>, erased:<hash>, term", GalleryEntry, "compact", None),
    ("conditioning", "name", Activation, "compact", None),
    ("dead-letters", "topic-partition-offset of the original", None, "compact,delete", 30),
]


def test_the_table_holds_these_topics_and_no_others() -> None:
    assert list(TOPICS) == [name for name, *_ in ROWS]
    assert all(TOPICS[name].name == name for name in TOPICS)


@pytest.mark.parametrize(("name", "key", "event", "cleanup", "days"), ROWS)
def test_each_topic_is_as_designed(
    name: str, key: str, event: type[Event] | None, cleanup: str, days: int | None
) -> None:
    topic = TOPICS[name]
    assert (topic.key, topic.event) == (key, event)
    assert topic.about
    expected = {"cleanup.policy": cleanup, "max.message.bytes": str(topic.max_bytes)}
    if days is not None:
        expected["retention.ms"] = str(days * 24 * 3600 * 1000)
    assert {key: topic.config()[key] for key in expected} == expected


def test_the_gallery_has_one_order() -> None:
    assert GALLERY.partitions == GALLERY_COMMANDS.partitions == 1
    assert FRAMES.partitions == EMBEDDINGS.partitions > 1


def test_what_anybody_publishes_is_not_unpacked_by_the_broker() -> None:
    open_to_all = {FRAMES, REVIEW_DECISIONS, GALLERY_COMMANDS}
    assert {t for t in TOPICS.values() if t.config().get("compression.type")} == open_to_all
    assert {t.config().get("compression.type") for t in open_to_all} == {"producer"}


def test_a_record_of_the_gallery_stays_an_hour_though_a_newer_one_is_there() -> None:
    assert GALLERY.config()["min.compaction.lag.ms"] == "3600000"


def test_sizes_fit_what_passes_from_topic_to_topic() -> None:
    largest = load_settings().max_image_bytes
    assert largest * 4 / 3 < FRAMES.max_bytes, "an image in structured mode, as base64"
    assert FRAMES.max_bytes < DEAD_LETTERS.max_bytes


def test_a_prefix_keeps_deployments_apart() -> None:
    settings = load_settings(topic_prefix="farm-1.")
    assert settings.topic(FRAMES) == "farm-1.frames"
    assert settings.workers_group == "farm-1.perennial-workers"
    assert settings.streams_group == "farm-1.perennial-streams"
