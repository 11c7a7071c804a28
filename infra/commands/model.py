"""``perennial model``: what a model is, where it comes from, and how to hand it on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.options import Json
from infra.commands.panels import panel
from infra.console import err, out, print_json
from lab.shown.tables import table
from schemas.errors import SetupError

if TYPE_CHECKING:
    from lab.cards.stored import StoredModel

app = typer.Typer(no_args_is_help=True)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", exists=True, file_okay=False, help="A model folder, or a training run."
    ),
]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(
        app,
        name="model",
        rich_help_panel=panel("model"),
        help="See what models there are, and make one ready to be handed on.",
    )


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
    from lab.cards.export import export as write  # here, so that `--help` is fast

    made = write(source, folder, evaluation=evaluation, name=name, about=about, force=force)
    out.print(f"wrote {folder}: {made.version}", markup=False, soft_wrap=True)
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
    from rich.markdown import Markdown

    from lab.cards.page import page
    from lab.cards.stored import open_model

    found = open_model(model)
    if json:
        print_json({**_brief(found), **found.card.model_dump(mode="json")})
    else:
        out.print(Markdown(page(found)))


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
    from lab.cards.listing import find_models
    from lab.cards.stored import open_model

    found = []
    for folder in find_models([Path()] if folders is None else folders):
        try:
            found.append(_brief(open_model(folder)))
        except SetupError as error:
            err.print(f"left out {error}", style="yellow", markup=False)
    if json:
        print_json(found)
        return
    grid = table("model", "dimension", "input", "TPIR at FPIR 5 %", "path")
    grid.columns[0].no_wrap = True  # a version is copied whole
    for one in found:
        tpir = ", ".join(f"{scenario} {value:.3f}" for scenario, value in one["tpir"].items())
        size = "×".join(map(str, one["input_size"]))
        grid.add_row(one["version"], str(one["dimension"]), size, tpir or "–", one["path"])
    out.print(grid)


def _brief(model: "StoredModel") -> dict[str, Any]:
    from lab.cards.provenance import headline

    architecture = model.card.architecture
    return {
        "version": model.version,
        "path": str(model.folder),
        "dimension": architecture.dimension,
        "input_size": list(architecture.input_size),
        "parameters": model.parameters,
        "tpir": headline(model.card),
    }
