"""See what models there are, and make one ready to be handed on."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.markdown import Markdown

from infra.commands.options import Json, checked, numbers, size_of
from infra.console import err, out, print_json, say, warn
from lab.cards.export import export as write
from lab.cards.figures import headline
from lab.cards.imported import import_model, is_source_of_timm
from lab.cards.page import page
from lab.cards.stored import StoredModel, find_models, open_model
from lab.shown.tables import table
from schemas.errors import SetupError, problems_of
from workers.model.imported.source import Preprocessing
from workers.model.model_folder import ModelCard

app = typer.Typer(no_args_is_help=True)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", exists=True, file_okay=False, help="A model folder, or a training run."
    ),
]

Force = Annotated[bool, typer.Option("--force", help="Write though there is something in OUT.")]


@app.command()
def export(
    source: Source,
    folder: Annotated[
        Path, typer.Argument(metavar="OUT", file_okay=False, help="The folder to write.")
    ],
    *,
    evaluation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.JSON",
            exists=True,
            dir_okay=False,
            help="evaluation.json of `perennial evaluate --out`, of this very model.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Another name; it is part of the version.")
    ] = None,
    about: Annotated[str | None, typer.Option(help="A line that says what it is.")] = None,
    force: Force = False,
) -> None:
    """Write a model folder with its training, its figures and a README.md, for a worker to load.

    The version stays as it is, unless the model is given another name. Weights are safetensors;
    the checkpoint of a run, which is a pickle, is never opened.

    Example:  perennial model export runs/herd models/herd --evaluation evaluation/evaluation.json
    """
    written = write(source, folder, evaluation=evaluation, name=name, about=about, force=force)
    say(f"wrote {folder}: {written.version}")
    if name is not None:
        err.print(
            "The name is part of the version, and entries of one version are never compared with "
            "probes of another: enrol the gallery anew.",
        )


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="FILE.onnx, a TorchScript file, timm:NAME, hf-hub:OWNER/NAME or local-dir:FOLDER.",
        ),
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="OUT", file_okay=False, help="The folder to write.")
    ],
    *,
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Input height and width; else what the source says."),
    ] = None,
    mean: Annotated[
        str | None,
        typer.Option(metavar="R,G,B", help="Taken off each channel; ImageNet's: .485,.456,.406."),
    ] = None,
    std: Annotated[
        str | None,
        typer.Option(metavar="R,G,B", help="Divides each channel; ImageNet's: .229,.224,.225."),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(help="Largest value of a pixel as mean and std see it: 1 (else) or 255."),
    ] = None,
    colour: Annotated[
        bool | None, typer.Option("--colour/--grey", help="Whether it sees colour (else it does).")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="TENSOR", help="What of an ONNX file is the features; else its output."
        ),
    ] = None,
    preprocessing: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.JSON",
            exists=True,
            dir_okay=False,
            help="JSON with size, mean, std, scale, colour and output. Options win.",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Weights for timm's NAME; else timm fetches them."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model; else that of the source.")
    ] = None,
    about: Annotated[str, typer.Option(help="A line that says what it is.")] = "",
    force: Force = False,
) -> None:
    """Make a model folder of somebody else's model; a worker loads it, and `train` starts from it.

    The model is tried first: one that gives no unit vectors, or other vectors for the same image
    in another batch, is refused. Nothing of it is run but the network: ONNX and TorchScript hold
    no Python, and pickles of weights are opened without their code.

    Example:  perennial model import herd.onnx models/herd --size 224x224 --mean .485,.456,.406
    --std .229,.224,.225

    Example:  perennial model import hf-hub:BVRA/MegaDescriptor-T-224 models/mega
    """
    given = _preprocessing(
        preprocessing,
        {
            "size": None if size is None else size_of(size),
            "mean": None if mean is None else numbers(mean, "--mean"),
            "std": None if std is None else numbers(std, "--std"),
            "scale": scale,
            "colour": colour,
            "output": output,
        },
    )
    card = checked(lambda: ModelCard(name=_name(source) if name is None else name, about=about))
    model, remarks = import_model(source, folder, card, given, weights=weights, force=force)
    for remark in remarks:
        warn(remark)
    say(f"wrote {folder}: {model.version}")
    err.print(
        f"next: perennial evaluate MANIFEST.CSV --model {folder}, or "
        f"perennial train MANIFEST.CSV --backbone {folder} --out RUN",
        markup=False,
    )


@app.command()
def show(model: Source, *, json: Json = False) -> None:
    """Show what a model is made of, how it was trained and what it reached.

    Example:  perennial model show runs/herd
    """
    stored = open_model(model)
    if json:
        print_json({**_brief(stored), **stored.card.model_dump(mode="json")})
    else:
        out.print(Markdown(page(stored)))


@app.command("list")
def list_models(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER]...", exists=True, file_okay=False, help="Where to look; else here."
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """List the models in folders and below them, with the TPIR at an FPIR of 5 %.

    Example:  perennial model list runs models
    """
    listed = []
    for folder in find_models([Path()] if folders is None else folders):
        try:
            listed.append(_brief(open_model(folder)))
        except SetupError as error:
            warn(f"left out {error}")
    if json:
        print_json(listed)
        return
    grid = table("model", "dimension", "input", "TPIR at FPIR 5 %", "path")
    grid.columns[0].no_wrap = True  # a version is copied whole
    for model in listed:
        tpir = ", ".join(f"{scenario} {value:.3f}" for scenario, value in model["tpir"].items())
        size = "×".join(map(str, model["input_size"]))
        grid.add_row(model["version"], str(model["dimension"]), size, tpir or "–", model["path"])
    out.print(grid)


def _preprocessing(file: Path | None, options: dict[str, Any]) -> Preprocessing:
    """Lay the options over the file."""
    stated: dict[str, Any] = {}
    try:
        if file is not None:
            read = Preprocessing.model_validate_json(file.read_bytes())
            stated = read.model_dump(exclude_unset=True)
        given = {name: value for name, value in options.items() if value is not None}
        return Preprocessing.model_validate({**stated, **given})
    except ValidationError as error:
        raise SetupError(f"wrong preprocessing: {problems_of(error)}") from error


def _name(source: str) -> str:
    """Return a name for a model out of that of its source."""
    last = Path(source.partition(":")[2] if is_source_of_timm(source) else Path(source).stem).name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-._")[:100]


def _brief(model: StoredModel) -> dict[str, Any]:
    architecture = model.card.architecture
    return {
        "version": model.version,
        "path": str(model.folder),
        "dimension": architecture.dimension,
        "input_size": list(architecture.input_size),
        "parameters": model.parameters,
        "tpir": headline(model.card),
    }
