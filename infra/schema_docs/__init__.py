"""The generated documents: JSON Schemas, AsyncAPI, and the table of settings."""

from pathlib import Path

from infra.schema_docs.asyncapi import asyncapi
from infra.schema_docs.configuration import configuration
from infra.schema_docs.events import event_schemas

_EVENTS = Path("events")


def documents() -> dict[Path, str]:
    """Return the text of every generated document by its path below ``docs/``."""
    schemas = {_EVENTS / name: text for name, text in event_schemas().items()}
    return {
        **schemas,
        _EVENTS / "asyncapi.yaml": asyncapi(),
        Path("configuration.md"): configuration(),
    }


def stale(docs: Path) -> list[Path]:
    """Return the documents below ``docs`` that are missing, outdated or no longer generated."""
    wanted = documents()
    events = docs / _EVENTS
    left_over = {path.relative_to(docs) for path in events.glob("*")} - wanted.keys()
    outdated = {path for path, text in wanted.items() if _text(docs / path) != text}
    return sorted(outdated | left_over)


def write(docs: Path) -> list[Path]:
    """Bring the documents below ``docs`` up to date; return those that were not."""
    wanted = documents()
    changed = stale(docs)
    for path in changed:
        target = docs / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(wanted[path], encoding="utf-8")
        else:
            target.unlink()
    return changed


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
