"""The variants of the system that one simulation compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress, product
from typing import Final

from lab.evaluate.words import percent
from schemas.conditioning import Activation

NONE: Final = "none"
"""Stands for no conditioning, where an artefact's folder is asked for."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A conditioning by the name that it goes by, with the record that activates it; or none."""

    name: str = NONE
    active: Activation | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run: the conditioning, MAD and inclusion on or off, the share of wrong answers."""

    conditioning: Chosen
    mad: bool
    include: bool
    wrong: float

    @property
    def parts(self) -> tuple[str, ...]:
        """Say each in a word or two."""
        return (
            "plain" if self.conditioning.active is None else self.conditioning.name,
            "MAD" if self.mad else "no MAD",
            "inclusion" if self.include else "no inclusion",
            f"{percent(self.wrong)} wrong",
        )


def grid(
    conditionings: Sequence[Chosen],
    mad: Sequence[bool],
    include: Sequence[bool],
    wrong: Sequence[float],
) -> list[Variant]:
    """Return every combination, the share of wrong answers varying slowest."""
    return [
        Variant(conditioning, mad=with_mad, include=with_inclusion, wrong=share)
        for share, conditioning, with_inclusion, with_mad in product(
            wrong, conditionings, include, mad
        )
    ]


def names(variants: Sequence[Sequence[str]]) -> list[str]:
    """Name variants by those of their parts that differ; by all, where there is one variant."""
    some = telling(variants) if len(variants) > 1 else [True] * len(variants[0])
    return [", ".join(compress(parts, some)) for parts in variants]


def telling(variants: Sequence[Sequence[str]]) -> list[bool]:
    """Say of each part whether it tells one variant from another."""
    return [len(set(column)) > 1 for column in zip(*variants, strict=True)]
