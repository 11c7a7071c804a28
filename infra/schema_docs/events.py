"""A JSON Schema per event, from its pydantic model."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.event import Event
from schemas.topics import GALLERY_COMMANDS, REVIEW_DECISIONS, TOPICS

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ANYONE_MAY_SEND = (REVIEW_DECISIONS, GALLERY_COMMANDS)


class _PlainSchema(GenerateJsonSchema):
    """JSON Schema alone, without OpenAPI's additions, and exact about what we always write."""

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Leave out OpenAPI's ``discriminator``, which AsyncAPI reads as something else."""
        plain = super().tagged_union_schema(schema)
        plain.pop("discriminator", None)
        return plain

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        """Require every field of what we write: a default is written out, too."""
        return self.mode == "serialization" or super().field_is_required(field, total)


def schema_file(event: type[Event]) -> str:
    """Return the name of the file that holds the schema of ``event``."""
    return f"{event.type.removeprefix('perennial.')}.json"


def event_schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema of an event.

    Of events that only we send it describes what we write: every field is there. Of those that
    anyone may send it describes what we accept: fields with a default may be left out.
    """
    accepted = any(topic.event is event for topic in _ANYONE_MAY_SEND)
    schema = event.model_json_schema(
        mode="validation" if accepted else "serialization", schema_generator=_PlainSchema
    )
    return {"$schema": DIALECT, **schema}


def event_schemas() -> dict[str, str]:
    """Return the text of every schema file by its name."""
    events = [topic.event for topic in TOPICS.values() if topic.event is not None]
    return {
        schema_file(event): json.dumps(event_schema(event), indent=2, ensure_ascii=False) + "\n"
        for event in events
    }
