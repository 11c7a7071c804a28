"""Client messages as records."""

from types import SimpleNamespace
from typing import Any

import pytest

from schemas.records import Record


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        (None, ()),
        ((), ()),
        ((("ce_id", b"1"), ("x", b"2")), (("ce_id", b"1"), ("x", b"2"))),
        ([("x", b"1"), ("x", b"2")], (("x", b"1"), ("x", b"2"))),
        ({"ce_id": b"1"}, (("ce_id", b"1"),)),
        ((("x", None),), (("x", b""),)),
    ],
)
def test_a_message_of_either_client_becomes_a_record(headers: Any, kept: Any) -> None:
    message = SimpleNamespace(
        topic="t", key=b"k", value=None, headers=headers, partition=2, offset=7, timestamp=12.0
    )
    assert Record.of(message) == Record("t", b"k", None, kept, 2, 7, 12)
