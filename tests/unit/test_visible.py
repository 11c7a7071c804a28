"""What is shown is text: it moves no cursor, forges no line, hides no letter."""

import doctest
import io
import json
import logging

import pytest
from rich.text import Text

import schemas.visible
from infra.console import Screen, print_json
from infra.logs import _OneRecord
from lab.shown.tables import table
from schemas.visible import visible, visible_lines

NASTY = "Bella\x1b[2J\x1b]0;owned\x07\x9b31m\r\nx\u202egpj.exe\u200b\u2028\ufeff\ufe0f\u3164"
SPELLED = r"Bella\x1b[2J\x1b]0;owned\x07\x9b31m\r\nx\u202egpj.exe\u200b\u2028\ufeff\ufe0f\u3164"


def test_examples() -> None:
    assert doctest.testmod(schemas.visible).failed == 0


@pytest.mark.parametrize("text", ["", "Bella", "Zoë", "ベラ", "بيلا", "[bold]x[/]", "a b", "🐄"])
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text


def test_what_no_eye_sees_is_spelled() -> None:
    assert visible(NASTY) == SPELLED
    assert visible("\ud800\U000e0041") == r"\ud800\U000e0041"
    assert visible_lines("a\nb\tc") == "a\nb\\tc"


def shown(width: int = 200) -> tuple[Screen, io.StringIO]:
    stream = io.StringIO()
    return Screen(file=stream, width=width, force_terminal=True, no_color=True), stream


def test_the_screen_writes_no_command_that_it_was_given() -> None:
    screen, stream = shown()
    screen.print(f"{NASTY} [red]:cow:[/red] [/nothing]")
    screen.print(Text(NASTY, style="bold"))
    written = stream.getvalue()
    assert "[red]:cow:[/red] [/nothing]" in written
    assert not set(written) & set("\x07\x9b\r\u202e\u200b\u2028")
    assert "\x1b[2J" not in written
    assert "\x1b]" not in written


def test_a_name_in_a_table_is_no_markup_and_no_row() -> None:
    screen, stream = shown()
    grid = table("event", "why")
    grid.add_row("[/]\n[red]forged", "x")
    grid.add_row(Text("bold", style="bold"), None)
    screen.print(grid)
    head, row, last = stream.getvalue().splitlines()
    assert r"[/]\n[red]forged" in row
    assert "event" in head
    assert "bold" in last


def test_json_is_the_same_value_in_letters_that_can_be_seen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json({NASTY: "\U000e0041é\u00ad"})
    written = capsys.readouterr().out
    assert json.loads(written) == {NASTY: "\U000e0041é\u00ad"}
    assert "é" in written
    assert written.rstrip("\n").isprintable()


def test_a_log_record_can_forge_no_other() -> None:
    formatter = _OneRecord("%(levelname)s %(message)s")
    try:
        raise ValueError("bad\nWARNING forged\x1b[2J")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "", 1, "id %s", ("a\nERROR forged",), (ValueError, error, None)
        )
    first, *rest = formatter.format(record).split("\n")
    assert first == r"ERROR id a\nERROR forged"
    assert rest
    assert all(line.startswith("    ") and line.isprintable() for line in rest)
