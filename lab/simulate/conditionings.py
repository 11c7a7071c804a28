"""The conditionings that are compared, each keeping the one FPIR that is asked for."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.simulate.variant import NONE, Chosen
from schemas.conditioning import Activation
from schemas.errors import SetupError
from schemas.event import now
from streams.conditioning.artefact import Artefact, load_artefact, save_artefact

Artefacts = Mapping[str, Artefact | None]
"""The artefacts by name; None for no conditioning."""


def load(folders: Sequence[str]) -> Artefacts:
    """Load the artefacts of these folders, by name; :data:`~.variant.NONE` is none.

    Raises:
        SetupError: one is missing or damaged.
    """
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
    found = {name: artefact.fpir for name, artefact in artefacts.items() if artefact is not None}
    if len(set(found.values())) > 1:
        each = ", ".join(f"{name} {fpir:g}" for name, fpir in found.items())
        raise SetupError(f"the conditionings keep different FPIRs: {each}; give one with --fpir")
    return next(iter(found.values()), None)


def check(artefacts: Artefacts, model: str) -> None:
    """Raise SetupError where one is for embeddings of another model."""
    for name, artefact in artefacts.items():
        if artefact is not None and artefact.model != model:
            raise SetupError(f"conditioning {name} is for {artefact.model}, but --model is {model}")


def chosen(artefacts: Artefacts, fpir: float, folder: Path) -> list[Chosen]:
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
