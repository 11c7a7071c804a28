"""Entries as an index holds them, for the tests of indexes and of what searches in them."""

from typing import Any

from streams.index.base import IndexEntry
from tests.gallery_entries import MODEL, unit


def entry(
    entry_id: str,
    identity: str,
    vector: Any,
    cluster: str = "all",
    space: str = MODEL,
    scale: float = 1.0,
) -> IndexEntry:
    """Return an entry as the index holds it."""
    return IndexEntry(entry_id, identity, space, cluster, unit(vector), scale)
