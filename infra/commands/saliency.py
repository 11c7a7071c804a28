"""``perennial saliency``: which background variables matter."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from infra.commands.options import Json, Manifest, Model, Splits, folder_out, share_option
from infra.console import err, print_markdown, progress, warn, warn_of_refused
from lab.images.embed import default_model
from lab.saliency.page_data import write
from lab.saliency.report import summary
from lab.saliency.run import SaliencyRequest, run
from recognition.distance import FloatArray
from recognition.gain import conditioning_gain
from recognition.saliency import GainOf
from schemas.settings import load_settings


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
        share_option("Share of strangers that may get a name, at which the gain is measured."),
    ] = 0.05,
    folder: Annotated[
        Path | None, folder_out("Write saliency.json and saliency.html here.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell which background variables matter, before anything is conditioned on them.

    Each is looked at within identities: how much of the embeddings' variance it explains, whether
    it changes how far they scatter, how well it is read from them, and what matching conditioned on
    it alone gains. The page shows the latent space and the distances by each that matters.

    Example:  perennial saliency herd.csv --model models/herd --out saliency
    """

    def gains(embeddings: FloatArray, labels: Sequence[str]) -> GainOf:
        return partial(conditioning_gain, embeddings, labels, fpir=fpir)

    settings = load_settings()
    default = default_model(settings)
    request = SaliencyRequest(
        manifest=manifest,
        splits=splits,
        split=split,
        model=default if model is None else model,
        by=by,
        permutations=permutations,
    )
    with progress() as bar:
        report, parts = run(request, settings, bar, gains)
        if folder is not None:
            write(folder, report, parts, settings, bar)
    warn_of_refused(report.refused)
    for why in report.left_out.values():
        warn(f"not looked at: {why}")
    if json:
        typer.echo(report.model_dump_json())
    else:
        print_markdown(summary(report))
    if folder is not None:
        err.print(f"wrote {folder / 'saliency.html'} and saliency.json")
