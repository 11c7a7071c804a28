"""Markdown as it is written, and as a terminal shows it."""

import pytest
from rich.console import Console

from lab.shown.markdown import TerminalMarkdown, bold, plain, table

HOSTILE = (
    "*a* _b_ `c` <d> &amp; ~~e~~ [f](g) [h][i] ![j](k) snake_case \\*",
    "# no heading",
    "- no list",
    "1. no list",
    "> no quotation",
    "[red]no style[/red]",
)


def shown(text: str, width: int = 400) -> list[str]:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(TerminalMarkdown(text))
    return [line.rstrip() for line in capture.get().splitlines() if line.strip()]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_never_markup(text: str) -> None:
    assert shown(plain(text)) == [text]
    assert shown(f"# {plain(text)}") == [text]
    assert shown(bold(text)) == [text]
    lines = shown(table(["name", text], [[f"{text} | {text}", "x"]], bold_rows=[0]))
    assert lines[0].removeprefix("name").lstrip() == text
    assert lines[1].startswith(f"{text} | {text}  x")


def test_numbers_at_the_right_are_not_broken() -> None:
    text = table(["name", "figures"], [["a long name", "1 2 3"], ["b", "10 20 30"]], right=[1])
    assert shown(text) == [
        "name          figures",
        "a long name     1 2 3",
        "b            10 20 30",
    ]
    narrow = shown(text, width=16)
    assert any("10 20 30" in line for line in narrow)
    assert all("…" in line for line in shown(text, width=8) if "0" in line)
