"""Markdown: what reports are written in, and how a terminal shows it."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar, Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Heading, Markdown, MarkdownElement, TableElement

from lab.shown.tables import table as empty_table

_MARKUP: Final = re.compile(r"[\\`*<&]|(?<!\w)_|_(?!\w)|~(?=~)|\](?=[(\[:])")
_BLOCK: Final = re.compile(r"^(\d*)([-+>#.)])")


def plain(text: str) -> str:
    r"""Return text in which nothing is markup, for a heading or a paragraph.

    >>> plain("*old* `herd` [0.1, 0.2]")
    '\\*old\\* \\`herd\\` [0.1, 0.2]'
    """
    return _BLOCK.sub(r"\1\\\2", _inline(text))


def bold(text: str) -> str:
    """Return plain text that stands out."""
    return f"**{_inline(text)}**" if text else ""


def table(
    heading: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[int] = (),
    bold_rows: Collection[int] = (),
) -> str:
    """Return a table of plain text.

    Args:
        right: the numbers of the columns that stand on the right, and are not broken.
        bold_rows: the numbers of the rows that stand out.
    """
    sides = ["---:" if column in right else "---" for column in range(len(heading))]
    lines = [
        map(_cell, heading),
        sides,
        *(
            [_cell(text, stands_out=number in bold_rows) for text in row]
            for number, row in enumerate(rows)
        ),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class _Heading(Heading):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self.text.copy()
        text.style, text.justify = "bold", "left"
        yield text


class _Table(TableElement):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        grid = empty_table()
        if self.header is not None and self.header.row is not None:
            for cell in self.header.row.cells:
                right = cell.justify == "right"
                grid.add_column(
                    cell.content,
                    justify=cell.justify,
                    no_wrap=right,
                    # A number that is cut must be seen to be: else it would be read as another.
                    overflow="ellipsis" if right else "fold",
                )
        for row in [] if self.body is None else self.body.rows:
            grid.add_row(*(cell.content for cell in row.cells))
        yield grid


class TerminalMarkdown(Markdown):
    """Markdown in the house style: headings at the left, tables without lines."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "table_open": _Table,
    }


def _inline(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def _cell(text: str, *, stands_out: bool = False) -> str:
    return (bold(text) if stands_out else _inline(text)).replace("|", "\\|")
