"""What the topics said, kept in the run folder for whoever must find the cause."""

import json
from pathlib import Path

from client.event_lines import as_json
from client.reader import records_of
from schemas.settings import Settings
from schemas.topics import (
    DEAD_LETTERS,
    GALLERY,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
)

_TOPICS = (
    GALLERY_COMMANDS,
    GALLERY,
    REVIEW_DECISIONS,
    IDENTIFICATIONS,
    HUMAN_REVIEW,
    DEAD_LETTERS,
)


async def keep_topics(settings: Settings, folder: Path) -> None:
    """Write each topic behind `embeddings` to ``<topic>.jsonl``, without the vectors.

    Raises:
        DependencyDown: the broker does not answer.
    """
    for topic in _TOPICS:
        with (folder / f"{topic.name}.jsonl").open("w") as file:
            async for record in records_of(settings, topic):
                line = {
                    "position": record.position,
                    "at": record.timestamp_ms,
                    "headers": {k: record.header(k) for k, _ in record.headers},
                    **_without_vectors(as_json(topic, record)),
                }
                file.write(json.dumps(line) + "\n")


def _without_vectors(value: object) -> dict[str, object]:
    parts = value if isinstance(value, dict) else {}
    return {
        name: _without_vectors(part) if isinstance(part, dict) else part
        for name, part in parts.items()
        if name != "vector"
    }
