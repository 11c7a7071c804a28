"""An AsyncAPI 3 document of the topics, from the topic table and the event models.

Sources: AsyncAPI 3.0.0 specification; Kafka bindings 0.5.0.
"""

from typing import Any, Literal

import yaml

from infra.schema_docs.messages import messages
from schemas.topics import (
    CONDITIONING,
    DEAD_LETTERS,
    EMBEDDINGS,
    FRAMES,
    GALLERY,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
    TOPICS,
    Topic,
)

_BINDINGS = "0.5.0"
_ABOUT = (
    "Frames with metadata go into Kafka; identifications come out; what cannot be recognised goes "
    "to a person, whose answer teaches it. Delivery is at least once, and every effect is "
    "idempotent by event name: <source>/<id>, each percent-encoded, and #<n> for region n. "
    "CloudEvents 1.0 over Kafka in binary content mode; frames are read in structured mode, too."
)

# What our services do, each with who does it.
_OPERATIONS: tuple[tuple[str, Literal["send", "receive"], Topic, str], ...] = (
    ("embedFrames", "receive", FRAMES, "The workers read frames."),
    ("publishEmbeddings", "send", EMBEDDINGS, "The workers send one per frame or region."),
    ("matchEmbeddings", "receive", EMBEDDINGS, "The matcher reads embeddings."),
    ("publishIdentifications", "send", IDENTIFICATIONS, "The matcher, and people's corrections."),
    ("askPeople", "send", HUMAN_REVIEW, "The matcher asks about what it does not recognise."),
    ("takeDecisions", "receive", REVIEW_DECISIONS, "The review agent reads people's answers."),
    ("askForEnrolment", "send", GALLERY_COMMANDS, "The review agent enrols what people named."),
    ("takeCommands", "receive", GALLERY_COMMANDS, "The gallery agent applies changes in order."),
    ("publishGallery", "send", GALLERY, "The gallery agent, its only writer, publishes changes."),
    ("readConditioning", "receive", CONDITIONING, "The gallery agent learns which one to use."),
    ("publishDeadLetters", "send", DEAD_LETTERS, "Whoever meets a record that nobody can use."),
)  # fmt: skip


class _NoAnchors(yaml.SafeDumper):
    """YAML without anchors: what is said twice is written twice."""

    def ignore_aliases(self, _: object) -> bool:
        """Never refer back."""
        return True


def asyncapi() -> str:
    """Return the document as YAML."""
    return yaml.dump(document(), Dumper=_NoAnchors, sort_keys=False, allow_unicode=True, width=100)


def document() -> dict[str, Any]:
    """Return the document as plain values."""
    by_topic = {topic.name: messages(topic) for topic in TOPICS.values()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Perennial",
            "version": "1.0.0",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "localhost:9092",
                "protocol": "kafka",
                "description": "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS names it.",
            }
        },
        "channels": {
            topic.name: _channel(topic, list(by_topic[topic.name])) for topic in TOPICS.values()
        },
        "operations": {
            name: {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": summary,
            }
            for name, action, topic, summary in _OPERATIONS
        },
        "components": {
            "messages": {
                name: {**message, "bindings": _key(topic)}
                for topic in TOPICS.values()
                for name, message in by_topic[topic.name].items()
            }
        },
    }


def _channel(topic: Topic, names: list[str]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "cleanup.policy": topic.cleanup.split(","),
        "max.message.bytes": topic.max_bytes,
    }
    if topic.retention is not None:
        config["retention.ms"] = int(topic.retention.total_seconds() * 1000)
    return {
        "address": topic.name,
        "description": topic.about,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": config,
                "bindingVersion": _BINDINGS,
            }
        },
    }


def _key(topic: Topic) -> dict[str, Any]:
    key = {"type": "string", "description": topic.key}
    return {"kafka": {"key": key, "bindingVersion": _BINDINGS}}
