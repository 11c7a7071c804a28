"""See what models there are, and make one ready to be handed on."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markdown import Markdown

from infra.commands.options import Json
from infra.console import err, out, print_json, say, warn
from lab.cards.export import export as write
from lab.cards.page import page
from lab.cards.provenance import headline
from lab.cards.stored import StoredModel, find_models, open_model
from lab.shown.tables import table
from schemas.errors import SetupError

app = typer.Typer(no_args_is_help=True)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", exists=True, file_okay=False, help="A model folder, or a training run."
    ),
]


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
    force: Annotated[
        bool, typer.Option("--force", help="Write though there is something in OUT.")
    ] = False,
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
