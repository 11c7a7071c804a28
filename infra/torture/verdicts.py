"""Whether what was answered can be true: each outcome held against the gallery of its moment."""

from collections import defaultdict
from dataclasses import dataclass

from infra.torture.history import History
from infra.torture.register import Parcel, Register, Seen

SAME_PICTURE = 0.0005
"""Largest distance between two embeddings of one picture; two pictures differ by more."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found.

    Attributes:
        lost: records that the broker acknowledged and that have no outcome.
        wrong: outcomes that cannot be true, with the reason.
        certain: outcomes of which the gallery of their moment says what had to be found.
    """

    lost: list[str]
    wrong: list[str]
    certain: int


def judge(register: Register, history: History) -> Judged:
    """Hold every outcome against what was sent, and against the gallery as it was.

    A good frame must not end as a dead letter, a bad one must. An identity must have been held by
    a matched entry between the gallery position that the outcome names and its own time. Where the
    very picture of the frame was held all that time, it must have been found.
    """
    judged = Judged([], [], 0)
    certain = 0
    same = _by_picture(register, history)
    for parcel in register.parcels.values():
        ends = register.ends(parcel.token)
        if not ends:
            judged.lost.append(_about(parcel))
        if parcel.outbound.flaw is not None:
            judged.wrong.extend(_not_dead(parcel, register))
            continue
        for end in ends:
            twins = same[parcel.outbound.shows]
            wrong, was_certain = _good(end, twins, history)
            certain += was_certain
            judged.wrong.extend(f"{_about(parcel)}: {why}" for why in wrong)
    return Judged(judged.lost, judged.wrong, certain)


def _not_dead(parcel: Parcel, register: Register) -> list[str]:
    name = parcel.outbound.name
    ends = [] if name is None else register.ends(name)
    return [f"{_about(parcel)}: {end.kind} as {end.summary}" for end in ends if end.kind != "dead"]


def _good(end: Seen, twins: list[str], history: History) -> tuple[list[str], bool]:
    if end.kind == "dead":
        return [f"a good frame is a dead letter: {end.summary}"], False
    first = end.gallery_position
    last = max(first, history.newest_at(end.at_ms))
    wrong = []
    if end.identity is not None and not history.was_active(end.identity, first, last):
        wrong.append(f"identified as {end.identity}, which nobody held at {first} to {last}")
    must = [entry_id for entry_id in twins if history.stayed_active(entry_id, first, last)]
    if must and (end.nearest is None or end.nearest > SAME_PICTURE):
        wrong.append(
            f"{must[0]} shows the same picture and was held at {first} to {last}, "
            f"but the nearest was at {end.nearest} ({end.kind}: {end.summary})"
        )
    return wrong, bool(must)


def _by_picture(
    register: Register, history: History
) -> defaultdict[tuple[int, int] | None, list[str]]:
    same: defaultdict[tuple[int, int] | None, list[str]] = defaultdict(list)
    for entry_id in history.ever:
        parcel = register.parcels.get(entry_id)
        if parcel is not None and parcel.outbound.shows is not None:
            same[parcel.outbound.shows].append(entry_id)
    return same


def _about(parcel: Parcel) -> str:
    flaw = "" if parcel.outbound.flaw is None else f" ({parcel.outbound.flaw})"
    return f"{parcel.token}{flaw}"
