"""Text from outside as a person is shown it: what no eye can see is spelled out."""

import re

# What Unicode counts as printable and yet shows as nothing: joiners, fillers, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def visible(text: str) -> str:
    r"""Return the text with controls, breaks, directions and what has no width as escapes.

    So it stays one line, moves no cursor, and two names that differ look different.

    >>> visible("Bella\n2026-01-01 WARNING \x1b[2Jforged\u202e")
    'Bella\\n2026-01-01 WARNING \\x1b[2Jforged\\u202e'
    """
    if text.isprintable() and _UNSEEN.search(text) is None:
        return text
    return "".join(letter if _is_seen(letter) else _spelled(letter) for letter in text)


def visible_lines(text: str) -> str:
    """Return the same of each line: for text of ours that has lines of its own."""
    return "\n".join(map(visible, text.split("\n")))


def _is_seen(letter: str) -> bool:
    return letter.isprintable() and _UNSEEN.match(letter) is None


def _spelled(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
