"""What is counted before anything is built, and the few names that metrics may have."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import BadInput
from schemas.json_text import counted, is_text, mistakes, read_json
from schemas.limits import MAX_JSON_VALUES
from schemas.metrics import OTHER, LabelNames


def test_values_are_counted_by_their_commas_and_brackets() -> None:
    most = b"[" + b"1," * (MAX_JSON_VALUES - 2) + b"1]"
    assert counted(most) is most
    assert len(read_json(most)) == MAX_JSON_VALUES - 1
    for text in (b"[1," + most[1:], b"[" * 10**6, b"{" * 10**6, b"," * 10**6):
        with pytest.raises(BadInput, match="JSON of about") as caught:
            read_json(text)
        assert caught.value.reason == "too_many_values"


@pytest.mark.parametrize("text", [b"[" * 5000, b'{"a":' * 4000, b"NaN", b"1" * 9999, b"", b"\xff"])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_a_long_text_that_is_not_ascii_is_read_in_another_way() -> None:
    long = "🐄" + "x" * 2**20
    assert read_json(f'{{"a": "{long}"}}'.encode()) == {"a": long}
    with pytest.raises(ValueError, match=r"."):
        read_json(f'{{"a": "{long}", "b": NaN}}'.encode())


def test_half_a_character_is_no_text() -> None:
    assert is_text("é\U0001f404")
    assert not is_text("a\ud800")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: int


def test_a_few_mistakes_are_told_and_the_rest_is_counted() -> None:
    many = '{"name": "x", ' + ", ".join(f'"{"k" * 100}{n}": 0' for n in range(50)) + "}"
    with pytest.raises(ValidationError) as caught:
        Strict.model_validate_json(many)
    told = mistakes(caught.value)
    assert told.startswith("name: Input should be a valid integer")
    assert told.endswith("; and 48 more")
    assert len(told) < 400
    with pytest.raises(ValidationError) as caught:
        Strict.model_validate_json("7")
    assert mistakes(caught.value).startswith("value: Input should be an object")


def test_the_first_names_are_told_and_all_others_together() -> None:
    name = LabelNames(2)
    assert [name(n) for n in ("a", "b", "c", "a", "x" * 101)] == ["a", "b", OTHER, "a", OTHER]
    assert LabelNames(9)("x" * 101) == OTHER
