"""``perennial train``: a model from labelled images."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from infra.commands.options import Json, Manifest, Splits, size_of
from infra.console import err, print_json, progress
from lab.train import run
from schemas.errors import SetupError
from schemas.settings import load_settings
from workers.training.config import TrainingConfig
from workers.training.start import architecture_on

Names = list[str] | None


def train(
    manifest: Manifest,
    *,
    out: Annotated[
        Path,
        typer.Option(file_okay=False, help="Run folder; a run that was interrupted goes on there."),
    ],
    splits: Splits = None,
    split: Annotated[int, typer.Option(min=0, help="Which split to train for.")] = 0,
    steps: Annotated[
        int | None, typer.Option(min=0, help="Batches to learn from; else 300.")
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="One, or a weighted sum such as 0.1*arcface+triplet; else multi-similarity."
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Input height and width in pixels; else 160x96."),
    ] = None,
    dimension: Annotated[
        int | None, typer.Option(min=2, help="Of the embedding; else 512.")
    ] = None,
    light: Annotated[
        str | None, typer.Option(help="keep, standardise (else), or local (takes shadows out).")
    ] = None,
    colour: Annotated[
        bool | None, typer.Option("--colour/--grey", help="Whether the network sees colour.")
    ] = None,
    predict: Annotated[
        Names, typer.Option(metavar="VARIABLE[:KIND][*WEIGHT]", help="Background to tell of.")
    ] = None,
    blind: Annotated[
        Names, typer.Option(metavar="VARIABLE[:KIND][*WEIGHT]", help="Background to erase.")
    ] = None,
    reverse: Annotated[
        Names,
        typer.Option(
            metavar="VARIABLE[:KIND][*WEIGHT]", help="Background to hide by gradient reversal."
        ),
    ] = None,
    group_by: Annotated[
        Names, typer.Option(metavar="VARIABLE", help="Spread each batch over its values.")
    ] = None,
    linear_map: Annotated[
        str | None, typer.Option(help="Metric learned on top: nca, lmnn or mahalanobis.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="JSON with any setting of a run; the config.json of another run will do. "
            "Options win.",
        ),
    ] = None,
    backbone: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Model folder to start from, of `perennial model import` or another run; it sets "
            "size, light and colour too.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of all that is drawn.")] = None,
    json: Json = False,
) -> None:
    """Train an embedding model, and write the model folder that the worker loads.

    Learns from the train part of a split and keeps the weights that recognise the calibrate part
    best; the test part is left for `perennial evaluate`. Needs no broker and no Redis.

    Example:  perennial train herd.csv --out runs/herd --size 160x96

    Example:  perennial train herd.csv --out runs/herd --predict season --blind 'hour:cyclic(24)'

    Example:  perennial train herd.csv --out runs/herd --backbone models/swin
    """
    settings = load_settings()
    options: dict[str, Any] = {
        "name": name,
        "backbone": backbone,
        "steps": steps,
        "loss": loss,
        "predict": predict,
        "erase": blind,
        "reverse": reverse,
        "group_by": group_by,
        "linear_map": linear_map,
        "seed": seed,
    }
    architecture: dict[str, Any] = {
        "dimension": dimension,
        "light": light,
        "colour": colour,
        "input_size": None if size is None else size_of(size),
    }
    training = _config(config, _given(options), _given(architecture))
    with progress() as bar:
        model, figures = run(training, manifest, splits, split, out, settings, bar)
    if json:
        print_json({"model": str(model), **figures})
        return
    err.print(
        f"wrote {model}; calibrate TPIR at FPIR 5 %: {figures['calibrate_tpir_at_fpir_0.05']:.3f} "
        f"after {figures['best_step']} steps\n"
        f"next: perennial evaluate {manifest} --split {split} --model {model}",
        markup=False,
    )


def _config(
    file: Path | None, options: dict[str, Any], architecture: dict[str, Any]
) -> TrainingConfig:
    """Lay the options over the file over the defaults."""
    try:
        base = TrainingConfig()
        if file is not None:
            base = TrainingConfig.model_validate_json(file.read_bytes())
        values = base.model_dump()
        values.update(options)
        if values["backbone"] is not None:
            values["architecture"] = architecture_on(values["backbone"]).model_dump()
        values["architecture"].update(architecture)
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        lines = (
            f"{'.'.join(map(str, e['loc']))}={e['input']!r}: {e['msg']}" for e in error.errors()
        )
        raise SetupError("wrong training settings:\n  " + "\n  ".join(lines)) from error


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
