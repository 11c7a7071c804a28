"""Model folders on disk: how they are found in what somebody names, and what they hold."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import SetupError
from workers.model.imported.program import is_program
from workers.model.model_folder import (
    CARD,
    WEIGHTS,
    ModelCard,
    Weights,
    network_weights,
    read_model,
    version,
)
from workers.training.run_folder import TrainingFolder

_PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt")


@dataclass(frozen=True, slots=True, eq=False)
class StoredModel:
    """A model as its folder holds it; nothing is built of it."""

    folder: Path
    card: ModelCard
    weights: Weights
    version: str

    @property
    def parameters(self) -> int:
        """How many numbers the network is made of."""
        own = network_weights(self.weights)
        return sum(tensor.numel() for name, tensor in own.items() if not is_program(name))


def open_model(source: Path) -> StoredModel:
    """Open a model folder, or that of a training run."""
    folder = _folder(source)
    card, weights = read_model(folder)
    return StoredModel(folder, card, weights, version(card, weights))


def _folder(source: Path) -> Path:
    run = TrainingFolder(source)
    folder = source if (source / CARD).is_file() or not run.model.is_dir() else run.model
    missing = [name for name in (CARD, WEIGHTS) if not (folder / name).is_file()]
    if not missing:
        return folder
    if run.config.is_file() and run.board.is_dir():
        raise SetupError(
            f"{source} is a training run that is not finished: it has no model yet. Give its "
            "`perennial train` again, and it goes on"
        )
    pickles = sorted(p.name for p in folder.glob("*") if p.suffix.lower() in _PICKLES)
    if WEIGHTS in missing and pickles:
        raise SetupError(
            f"{folder} has {', '.join(pickles)} instead of {WEIGHTS}: a pickle can run any code "
            "when it is opened, so Perennial does not. Save the weights with "
            "safetensors.torch.save_file"
        )
    raise SetupError(
        f"{source} is neither a model folder nor a training run: no {' and no '.join(missing)}"
    )


def find_models(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield each folder with a model card in it, by its path; hidden folders are left out."""
    seen: set[Path] = set()
    for folder in folders:
        for root, below, files in os.walk(folder):
            below[:] = sorted(name for name in below if not name.startswith("."))
            path = Path(root)
            if CARD in files and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path
