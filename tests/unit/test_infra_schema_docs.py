import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker, ValidationError

from infra.schema_docs import configuration, documents, stale, write
from infra.schema_docs.messages import event_schema, event_schemas, schema_file
from schemas.event import Event
from schemas.settings import Settings
from schemas.topics import TOPICS
from tests.unit.infra_events import samples

DOCS = Path(__file__).parents[2] / "docs"


def validator(event: type[Event]) -> Draft202012Validator:
    return Draft202012Validator(event_schema(event), format_checker=FormatChecker())


def asyncapi() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(documents()[Path("events/asyncapi.yaml")])
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def resolve(document: Any, pointer: str) -> Any:
    for part in pointer.split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


def test_there_is_a_sample_of_every_event() -> None:
    assert {type(event) for event in samples()} == {t.event for t in TOPICS.values() if t.event}


@pytest.mark.parametrize("event", samples(), ids=lambda event: type(event).__name__)
def test_a_schema_accepts_its_event(event: Event) -> None:
    Draft202012Validator.check_schema(event_schema(type(event)))
    validator(type(event)).validate(json.loads(event.model_dump_json()))


@pytest.mark.parametrize("event", samples(), ids=lambda event: type(event).__name__)
def test_a_schema_refuses_another_event(event: Event) -> None:
    value = json.loads(event.model_dump_json())
    for broken in (
        {**value, "surprise": 1},
        {**value, "schema_version": 2},
        {k: v for k, v in value.items() if k not in ("identity", "item", "name", "reason")},
    ):
        with pytest.raises(ValidationError):
            validator(type(event)).validate(broken)


def test_schemas_speak_plain_json_schema() -> None:
    assert not [text for text in event_schemas().values() if '"discriminator"' in text]


def test_what_we_write_has_every_field_and_what_we_accept_has_defaults() -> None:
    schemas = {name: json.loads(text) for name, text in event_schemas().items()}
    written = schemas["identification.v1.json"]
    assert set(written["required"]) == set(written["properties"])
    accepted = schemas["review-decision.v1.json"]
    assert set(accepted["required"]) == {"item", "identity", "actor"}


def test_asyncapi_has_every_topic_with_its_configuration() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert list(document["channels"]) == list(TOPICS)
    for name, channel in document["channels"].items():
        kafka = channel["bindings"]["kafka"]
        assert channel["address"] == name
        assert channel["messages"]
        assert kafka["partitions"] == TOPICS[name].partitions
        assert ",".join(kafka["topicConfiguration"]["cleanup.policy"]) == TOPICS[name].cleanup


def test_every_topic_is_sent_or_received_by_somebody() -> None:
    document = asyncapi()
    used = {operation["channel"]["$ref"] for operation in document["operations"].values()}
    assert used == {f"#/channels/{name}" for name in TOPICS}
    assert {o["action"] for o in document["operations"].values()} == {"send", "receive"}


def test_every_reference_of_asyncapi_leads_somewhere() -> None:
    document = asyncapi()
    files = set()
    for reference in references(document):
        if reference.startswith("#/"):
            assert resolve(document, reference[2:])
        else:
            files.add(reference.removeprefix("./"))
    assert files == {schema_file(t.event) for t in TOPICS.values() if t.event is not None}


def test_headers_of_messages_are_schemas_that_fit_what_is_sent() -> None:
    messages = asyncapi()["components"]["messages"]
    for event in samples():
        message = messages[type(event).__name__]
        Draft7Validator.check_schema(message["headers"])
        sent = {name: value.decode() for name, value in event.record("t").headers}
        Draft7Validator(message["headers"]).validate(sent)
        assert message["name"] == event.type


def test_the_table_of_settings_names_every_setting_with_its_default() -> None:
    text = configuration()
    for name in Settings.model_fields:
        assert f"| `PERENNIAL_{name.upper()}` |" in text
    assert "| `PERENNIAL_DEVICE` | `auto` | `auto`, `cpu`, `cuda` |" in text
    assert "| `PERENNIAL_TARGET_FPIR` | `0.01` | number > 0, < 1 |" in text
    assert "| `PERENNIAL_THREADS` | unset | whole number ≥ 1 |" in text


def test_write_makes_stale_documents_current(tmp_path: Path) -> None:
    assert set(stale(tmp_path)) == set(documents())
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "configuration.md").write_text("old")
    (tmp_path / "events" / "gone.v1.json").write_text("{}")
    changed = [Path("configuration.md"), Path("events/gone.v1.json")]
    assert stale(tmp_path) == changed
    assert write(tmp_path) == changed
    assert stale(tmp_path) == []


def test_the_documents_of_the_project_are_current() -> None:
    assert stale(DOCS) == [], "run `perennial schema`"
