"""The runs of a one-shot test, drawn from labelled images."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]
Sheet = Mapping[str, Mapping[str, Mapping[str, Sequence[int]]]]
"""By group (alphabet), identity (character) and hand (drawer): the indices of the images."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One image each of some identities by one hand, and each of them again by another hand.

    Attributes:
        group: which the identities are of.
        probes: (n,) images by the one hand.
        own: (n,) images of the same identities, in the same order, by the other hand.
        strangers: (s,) images of identities of other groups by a hand of that name, so that n + s
            is the number of ways; none where the group has identities enough.
    """

    group: str
    probes: Indices
    own: Indices
    strangers: Indices


def sheet_of(images: Iterable[tuple[int, str, str, str]]) -> Sheet:
    """Sort images, each an index with identity, group and hand."""
    found: dict[str, dict[str, dict[str, list[int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for index, identity, group, hand in images:
        found[group][identity][hand].append(index)
    return {group: dict(sorted(found[group].items())) for group in sorted(found)}


def draw_runs(sheet: Sheet, ways: int, runs: int, rng: np.random.Generator) -> list[Run]:
    """Draw ``runs`` runs of each group with two identities or more.

    Where a group has fewer than ``ways`` identities, all of them take part, and strangers make up
    the number as far as there are any.

    Raises:
        ValueError: fewer than two ways or one run, no group has two identities, or those of a run
            have no two hands in common.
    """
    if ways < 2 or runs < 1:
        raise ValueError(f"expected at least two ways and one run, got {ways} and {runs}")
    able = [group for group, identities in sheet.items() if len(identities) > 1]
    if not able:
        raise ValueError("no group has two identities")
    return [_draw(sheet, group, ways, rng) for group in able for _ in range(runs)]


def _draw(sheet: Sheet, group: str, ways: int, rng: np.random.Generator) -> Run:
    mine = sheet[group]
    names = list(mine)
    chosen = [names[i] for i in rng.permutation(len(names))[:ways]]
    common = sorted(set.intersection(*(set(mine[name]) for name in chosen)))
    if len(common) < 2:
        raise ValueError(f"{len(chosen)} identities of {group!r} have no two hands in common")
    hand, other = (common[i] for i in rng.permutation(len(common))[:2])
    others = [
        identity[other]
        for name, identities in sheet.items()
        for label, identity in identities.items()
        if name != group and label not in mine and other in identity
    ]
    filled = [others[i] for i in rng.permutation(len(others))[: ways - len(chosen)]]

    def one_each(images: Sequence[Sequence[int]]) -> Indices:
        return np.array([rng.choice(some) for some in images], dtype=np.intp)

    return Run(
        group,
        probes=one_each([mine[name][hand] for name in chosen]),
        own=one_each([mine[name][other] for name in chosen]),
        strangers=one_each(filled),
    )
