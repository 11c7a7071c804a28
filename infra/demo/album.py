"""Which frames the demo's picture shows: a few identities, each under conditions that differ."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from infra.demo.ledger import Ended, FrameVerdict
from schemas.event import Scalar

Row = list[Ended]


def album(history: Sequence[Ended], rows: int = 3, columns: int = 4) -> list[Row]:
    """Pick up to ``rows`` identities and, in time order, up to ``columns`` frames of each.

    The identities are those seen under the most different backgrounds. Where the matcher was ever
    wrong, one row belongs to an identity that it mistook, with the mistake in it.
    """
    seen: defaultdict[str, Row] = defaultdict(list)
    for ended in history:
        seen[_named(ended)].append(ended)
    ranked = sorted(seen.values(), key=lambda row: (-len(_backgrounds(row)), -len(row)))
    mistaken = [row for row in ranked if any(e.verdict is FrameVerdict.WRONG for e in row)][:1]
    others = [row for row in ranked if row not in mistaken]
    chosen = [*others[: rows - len(mistaken)], *mistaken]
    return [spread(row, columns) for row in chosen]


def spread(row: Row, columns: int) -> Row:
    """Pick one frame of each of ``columns`` runs of equal length.

    The first is the very first; the others show most that the picked ones do not, a mistake first.
    """
    pieces = min(columns, len(row))
    edges = [piece * len(row) // pieces for piece in range(pieces + 1)]
    picked: Row = [row[0]]
    for start, stop in pairwise(edges[1:]):
        known = {fact for ended in picked for fact in _facts(ended)}
        picked.append(max(row[start:stop], key=lambda ended: _worth(ended, known)))
    return picked


def _worth(ended: Ended, known: set[tuple[str, Scalar]]) -> tuple[bool, int, bool]:
    new = len(_facts(ended) - known)
    return ended.verdict is FrameVerdict.WRONG, new, ended.verdict is FrameVerdict.RIGHT


def _facts(ended: Ended) -> set[tuple[str, Scalar]]:
    """The named conditions of a frame; numbers are almost always new and say little."""
    return {(name, v) for name, v in ended.frame.background.items() if isinstance(v, str)}


def _backgrounds(row: Row) -> set[frozenset[tuple[str, Scalar]]]:
    return {frozenset(_facts(ended)) for ended in row}


def _named(ended: Ended) -> str:
    return ended.frame.label if ended.frame.label is not None else ended.outcome.frame
