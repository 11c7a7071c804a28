"""``perennial saliency``: which background variables matter."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.options import Json, Manifest, Model, Splits, share
from infra.commands.panels import panel
from infra.console import err, print_markdown, progress
from schemas.settings import load_settings

if TYPE_CHECKING:
    from recognition.distance import FloatArray
    from recognition.saliency import GainOf


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("saliency", rich_help_panel=panel("saliency"))(saliency)


def saliency(
    manifest: Manifest,
    *,
    splits: Splits = None,
    split: Annotated[
        int | None,
        typer.Option(min=0, help="Look at its train and calibrate parts; else the first split's."),
    ] = None,
    model: Model = None,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIABLE", help="Look at this one; may be repeated. Else at all."),
    ] = None,
    permutations: Annotated[
        int, typer.Option(min=99, help="Shuffles behind a p-value; more make it finer.")
    ] = 199,
    fpir: Annotated[
        float,
        typer.Option(
            help="Share of strangers that may get a name, at which the gain is measured.",
            parser=share,
            metavar="SHARE",
        ),
    ] = 0.05,
    folder: Annotated[
        Path | None,
        typer.Option("--out", file_okay=False, help="Write saliency.json and saliency.html here."),
    ] = None,
    json: Json = False,
) -> None:
    """Tell which background variables matter, before anything is conditioned on them.

    Each is looked at within identities: how much of the embeddings' variance it explains, whether
    it changes how far they scatter, how well it is read from them, and what matching conditioned on
    it alone gains. The page shows the latent space and the distances by each that matters.

    Example:  perennial saliency herd.csv --model models/herd --out saliency
    """
    from lab.evaluate.models import default_model  # here, so that `--help` is fast
    from lab.saliency.files import write
    from lab.saliency.run import Question, run
    from lab.saliency.summary import summary
    from recognition.gain import conditioning_gain

    def gains(embeddings: "FloatArray", labels: Sequence[str]) -> "GainOf":
        return partial(conditioning_gain, embeddings, labels, fpir=fpir)

    settings = load_settings()
    default = default_model(settings)
    question = Question(
        manifest=manifest,
        splits=splits,
        split=split,
        model=default if model is None else model,
        by=by,
        permutations=permutations,
    )
    with progress() as bar:
        looked = run(question, settings, bar, gains)
        if folder is not None:
            write(folder, looked, settings, bar)
    for path, why in looked.report.refused.items():
        err.print(f"left out {path}: {why}", style="yellow", markup=False)
    for why in looked.report.left_out.values():
        err.print(f"not looked at: {why}", style="yellow", markup=False)
    if json:
        typer.echo(looked.report.model_dump_json())
    else:
        print_markdown(summary(looked.report))
    if folder is not None:
        err.print(f"wrote {folder / 'saliency.html'} and saliency.json")
