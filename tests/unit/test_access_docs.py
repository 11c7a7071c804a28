"""The tables of docs/operating.md about access, held against the code."""

import re
import tomllib
from pathlib import Path

import pytest

from access.rights import (
    DOES,
    Operation,
    Resource,
    Right,
    Role,
    kafka_rights,
    redis_commands,
    redis_rules,
)
from schemas.settings import load_settings
from schemas.topics import TOPICS

ROOT = Path(__file__).parents[2]
OPERATING = (ROOT / "docs" / "operating.md").read_text()


def listed(rights: list[Right], operation: Operation, resource: Resource) -> str:
    named = [r.name for r in rights if (r.operation, r.resource) == (operation, resource)]
    if set(named) == set(TOPICS):
        return "all"
    return ", ".join(f"`{name}`" for name in named) or "–"


def row(role: Role) -> str:
    rights = kafka_rights(load_settings(), role)
    topic, group = Resource.TOPIC, Resource.GROUP
    cells = [
        f"`{role}`",
        DOES[role],
        listed(rights, Operation.READ, topic),
        listed(rights, Operation.WRITE, topic),
        listed(rights, Operation.DESCRIBE_CONFIGS, topic),
        listed(rights, Operation.ALTER_CONFIGS, topic),
        listed(rights, Operation.READ, group),
        listed(rights, Operation.DESCRIBE, group),
    ]
    return "| " + " | ".join(cells) + " |"


@pytest.mark.parametrize("role", Role)
def test_the_table_of_kafka_rights_is_what_the_code_asks_for(role: Role) -> None:
    assert row(role) in OPERATING, f"docs/operating.md needs this row:\n{row(role)}"


@pytest.mark.parametrize("role", [Role.STREAMS, Role.CURATOR, Role.OPERATOR])
def test_the_rules_of_redis_are_those_of_the_code(role: Role) -> None:
    rules = " ".join(redis_rules(load_settings(topic_prefix="PREFIX"), role))
    line = f"ACL SETUSER {role} reset on >PASSWORD {rules}"
    assert line in OPERATING, f"docs/operating.md needs this line:\n{line}"


def test_the_demo_has_the_commands_of_the_streams() -> None:
    commands = " ".join(f"+{command}" for command in redis_commands(Role.STREAMS))
    assert f"resetkeys resetchannels '~demo-*' -@all {commands}\n" in OPERATING


def test_no_operation_lies_beside_the_table() -> None:
    """Describe goes with DescribeConfigs, Create with AlterConfigs: each has one column."""
    for role in Role:
        rights = kafka_rights(load_settings(), role)
        topic = Resource.TOPIC
        for one, other in (
            (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS),
            (Operation.CREATE, Operation.ALTER_CONFIGS),
        ):
            assert listed(rights, one, topic) == listed(rights, other, topic)


def test_each_dependency_is_told_with_its_purpose() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(name for extra in extras.values() for name in extra)]
    section = OPERATING.split("### What each dependency is for", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|", section, re.MULTILINE)
    names = [re.split(r"[<>=]", requirement)[0] for requirement in wanted]
    assert [name for name, purpose in rows if purpose.strip()] == names
