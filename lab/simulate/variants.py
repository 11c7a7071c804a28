"""The variants of the system that one simulation compares, all keeping one FPIR."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, product
from pathlib import Path
from typing import Final

from lab.evaluate.words import percent
from schemas.conditioning import Activation
from schemas.errors import SetupError
from schemas.event import now
from streams.conditioning.artefact import Artefact, load_artefact, save_artefact

NONE: Final = "none"
"""Stands for no conditioning, where an artefact's folder is asked for."""

Artefacts = Mapping[str, Artefact | None]
"""The artefacts by name; None for no conditioning."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A conditioning by the name that it goes by, with the record that activates it; or none."""

    name: str = NONE
    active: Activation | None = None


@dataclass(frozen=True, slots=True)
class SystemVariant:
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
) -> list[SystemVariant]:
    """Return every combination, the share of wrong answers varying slowest."""
    return [
        SystemVariant(conditioning, mad=with_mad, include=with_inclusion, wrong=share)
        for share, conditioning, with_inclusion, with_mad in product(
            wrong, conditionings, include, mad
        )
    ]


def names(variants: Sequence[Sequence[str]]) -> list[str]:
    """Name variants by those of their parts that differ; by all, where there is one variant."""
    columns = zip(*variants, strict=True)
    shown = [len(variants) == 1 or len(set(column)) > 1 for column in columns]
    return [", ".join(compress(parts, shown)) for parts in variants]


def load_artefacts(folders: Sequence[str]) -> Artefacts:
    """Load the artefacts of these folders, by name; :data:`NONE` is none."""
    folders = list(dict.fromkeys(folders))
    short = [folder if folder == NONE else Path(folder).name for folder in folders]
    called = short if len(set(short)) == len(short) else folders
    loaded = (None if folder == NONE else load_artefact(folder) for folder in folders)
    return dict(zip(called, loaded, strict=True))


def fpir_of(artefacts: Artefacts) -> float | None:
    """Return the FPIR that the artefacts are to keep; None where there is none.

    Raises:
        SetupError: they keep different ones, which would not compare.
    """
    fpirs = {name: artefact.fpir for name, artefact in artefacts.items() if artefact is not None}
    if len(set(fpirs.values())) > 1:
        each = ", ".join(f"{name} {fpir:g}" for name, fpir in fpirs.items())
        raise SetupError(f"the conditionings keep different FPIRs: {each}; give one with --fpir")
    return next(iter(fpirs.values()), None)


def check_model(artefacts: Artefacts, model: str) -> None:
    """Raise SetupError where one is for embeddings of another model."""
    for name, artefact in artefacts.items():
        if artefact is not None and artefact.model != model:
            raise SetupError(f"conditioning {name} is for {artefact.model}, but --model is {model}")


def activatable(artefacts: Artefacts, fpir: float, folder: Path) -> list[Chosen]:
    """Return the conditionings, ready to be activated; they are written below ``folder``."""
    return [
        Chosen(name, None if artefact is None else _active(artefact, fpir, folder / str(number)))
        for number, (name, artefact) in enumerate(artefacts.items())
    ]


def _active(artefact: Artefact, fpir: float, folder: Path) -> Activation:
    saved = save_artefact(
        folder,
        name=artefact.name,
        model=artefact.model,
        fpir=fpir,
        conditioning=artefact.conditioning,
        calibration=artefact.calibration,
        about=artefact.about,
    )
    return Activation(
        name=saved.name,
        version=saved.version,
        uri=folder.as_uri(),
        model=saved.model,
        activated_at=now(),
        actor="simulation",
    )
