"""A model folder to hand on: weights, card with its figures, and a page for people."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from lab.cards.figures import figures_of, read_evaluation
from lab.cards.page import page
from lab.cards.stored import StoredModel, open_model
from schemas.choices import Device, InferenceRuntime, Precision
from schemas.errors import SetupError, problems_of
from schemas.settings import load_settings
from workers.model.model import EmbeddingModel, load_model
from workers.model.model_folder import CARD, WEIGHTS, ModelCard, version, write_model

README = "README.md"


def export(
    source: Path,
    out: Path,
    *,
    evaluation: Path | None = None,
    name: str | None = None,
    about: str | None = None,
    force: bool = False,
) -> StoredModel:
    """Write a model folder, and return what is in it.

    The hash of the version stays as it is: neither the figures nor the text are part of it.

    Args:
        source: a model folder or a training run.
        out: the folder to write; only the files of a model are replaced there.
        evaluation: an ``evaluation.json`` of this very model, whose figures go into the card.
        name: another name, which makes another version.
        about: another line for people.
        force: write though there is something in the folder.
    """
    if not force:
        need_empty(out)
    model = open_model(source)
    changes: dict[str, Any] = {"name": name, "about": about}
    if evaluation is not None:
        figures = figures_of(read_evaluation(evaluation), model.version)
        changes["evaluation"] = figures.model_dump(mode="json")
    card = _changed(model.card, {k: v for k, v in changes.items() if v is not None})
    exported = StoredModel(out, card, model.weights, version(card, model.weights))
    write_tried(exported)
    return exported


def need_empty(out: Path) -> None:
    """Raise SetupError where there is something in a folder."""
    if out.is_dir() and any(out.iterdir()):
        raise SetupError(f"{out} has something in it; choose another folder, or give --force")


def _changed(card: ModelCard, changes: dict[str, Any]) -> ModelCard:
    try:
        return ModelCard.model_validate({**card.model_dump(), **changes})
    except ValidationError as error:
        raise SetupError(problems_of(error)) from error


def write_tried(model: StoredModel, prove: Callable[[EmbeddingModel], None] | None = None) -> None:
    """Write and try the model beside the folder, then move it in: what was there may be its source.

    The source's weights are mapped into memory, and to write over that file would break them.

    Args:
        model: what is written, and where.
        prove: raises where the model, loaded as a worker loads it, shall not be written.

    Raises:
        SetupError: the folder cannot be written to, or the model is not sound.
    """
    try:
        _write_tried(model, prove)
    except OSError as error:
        raise SetupError(f"{model.folder}: {error}; choose another folder") from error


def _write_tried(model: StoredModel, prove: Callable[[EmbeddingModel], None] | None) -> None:
    out = model.folder
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
        staged = Path(temporary)
        write_model(staged, model.card, model.weights)
        loaded = load_model(
            load_settings(
                model=staged,
                device=Device.CPU,
                precision=Precision.FLOAT32,
                runtime=InferenceRuntime.TORCH,
            )
        )
        if prove is not None:
            prove(loaded)
        (staged / README).write_text(page(model), encoding="utf-8")
        out.mkdir(exist_ok=True)
        for file in (WEIGHTS, CARD, README):
            (staged / file).replace(out / file)
