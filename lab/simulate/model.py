"""The model that embeds, by the folder that is asked for."""

from pathlib import Path
from typing import Final

from lab.evaluate.models import PLAIN
from schemas.errors import SetupError
from schemas.settings import Settings
from workers.model.model import EmbeddingModel

_SPLIT: Final = "{split}"


def of_split(path: str, split: int | None) -> str:
    """Return the path of this split.

    Raises:
        SetupError: the path has ``{split}`` in it, but there is none.
    """
    if split is None and _SPLIT in path:
        raise SetupError(f"{path} is another folder for each split: say which with --split")
    return path.replace(_SPLIT, str(split))


def folder_of(model: str) -> Path | None:
    """Return the model's folder; None for the backbone as it comes.

    Raises:
        SetupError: there is none.
    """
    if model == PLAIN:
        return None
    if not Path(model).is_dir():
        raise SetupError(
            f"no model folder {model}; --model takes a folder that `perennial train` wrote, or "
            f"{PLAIN!r} for the backbone as it comes"
        )
    return Path(model)


def version_of(folder: Path | None, settings: Settings) -> str:
    """Return the version of a model.

    Raises:
        SetupError: it cannot be loaded.
    """
    return EmbeddingModel.of(settings.model_copy(update={"model": folder})).version
