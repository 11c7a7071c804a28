"""What Redis held and the topics said at the end, for whoever must find the cause."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from access.redis import async_redis_client
from client.event_lines import as_json
from client.reader import records_of
from schemas.gallery import GalleryEntry, Status
from schemas.settings import Settings
from schemas.topics import CONDITIONING, EMBEDDINGS, FRAMES, TOPICS

_TOPICS = [t for t in TOPICS.values() if t not in (FRAMES, EMBEDDINGS, CONDITIONING)]
Hash = Mapping[bytes, bytes]


async def keep_topics(settings: Settings, folder: Path) -> None:
    """Write each topic behind `embeddings` to ``<topic>.jsonl``, without the vectors."""
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


async def differences_in_redis(
    settings: Settings, entries: Mapping[str, GalleryEntry]
) -> list[str]:
    """Return where Redis departs from the active entries, entry by entry, in words."""
    held = await _hashes(settings)
    active = {i: entry for i, entry in entries.items() if entry.status is Status.ACTIVE}
    differences = [f"{i} is not in Redis" for i in sorted(active.keys() - held.keys())]
    for entry_id, copies in sorted(held.items()):
        if entry_id not in active:
            differences.append(f"{entry_id} is in Redis, not in the gallery")
        elif len(copies) > 1:
            differences.append(f"{entry_id} is in Redis {len(copies)} times")
        else:
            differences.extend(_compared(active[entry_id], copies[0]))
    return differences


def _compared(entry: GalleryEntry, copy: Hash) -> list[str]:
    differences = []
    identity = copy.get(b"identity", b"").decode()
    if identity != entry.identity:
        differences.append(f"{entry.entry_id} is {identity!r} in Redis, not {entry.identity!r}")
    vector = np.frombuffer(copy.get(b"vector", b""), "<f4")
    if vector.shape != entry.vector.shape or not np.allclose(vector, entry.vector, atol=1e-6):
        differences.append(f"{entry.entry_id} has another vector in Redis")
    return differences


async def _hashes(settings: Settings) -> dict[str, list[Hash]]:
    """Return the hashes by entry id; an id that lies in two shards has two."""
    start = f"{settings.topic_prefix}gallery:{{"
    held: defaultdict[str, list[Hash]] = defaultdict(list)
    async with async_redis_client(settings, socket_timeout=5) as client:
        async for key in client.scan_iter(match=f"{start}*", count=500, _type="hash"):
            entry_id = key.decode().partition("}:")[2]
            held[entry_id].append(dict(await client.hgetall(key)))  # type: ignore[arg-type]
    return dict(held)
