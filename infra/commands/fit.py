"""``perennial fit``: a conditioning from labelled images."""

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.options import Json, Manifest, Model, Splits, folder_out, share_option
from infra.console import err, print_json, print_markdown, progress, warn, warn_of_refused
from lab.fit.page import PAGE, write
from lab.fit.run import FitRequest, run
from lab.fit.words import summary
from lab.images.embed import default_model
from schemas.settings import load_settings


def fit(
    manifest: Manifest,
    *,
    folder: Annotated[Path, folder_out("Write the conditioning and its report here.")],
    splits: Splits = None,
    split: Annotated[
        int | None,
        typer.Option(
            min=0, help="Made from its train part, judged by its calibrate part; else the first's."
        ),
    ] = None,
    model: Model = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VARIABLE", help="May make clusters; may be repeated. Else every variable."
        ),
    ] = None,
    fpir: Annotated[
        float | None,
        share_option("Share of unknown probes that may get a name; else PERENNIAL_TARGET_FPIR."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the conditioning; else the folder of the manifest."),
    ] = None,
    json: Json = False,
) -> None:
    """Find what the background tells, and fit clusters and thresholds to it.

    Background variables that move or spread the embeddings of an identity make clusters; several
    ways to use them race each other on identities that were held out, one cluster always among
    them. Writes the conditioning and a report. Needs no broker and no Redis.

    Example:  perennial fit herd.csv --model models/herd --fpir 0.01 --out conditionings/herd

    Example:  perennial fit herd.csv --by season --by camera --out conditionings/herd
    """
    settings = load_settings()
    default = default_model(settings)
    request = FitRequest(
        manifest=manifest,
        splits=splits,
        split=split,
        model=default if model is None else model,
        by=by,
        fpir=settings.target_fpir if fpir is None else fpir,
    )
    with progress() as bar:
        report, conditioning = run(request, settings, bar)
    artefact = write(folder, report, conditioning, report.origin.data if name is None else name)
    warn_of_refused(report.origin.refused)
    for why in report.origin.left_out.values():
        warn(f"not looked at: {why}")
    if json:
        about = {"folder": str(folder), "name": artefact.name, "version": artefact.version}
        print_json({**about, **report.model_dump(mode="json")})
    else:
        print_markdown(summary(report))
    err.print(
        f"wrote {folder}: conditioning {artefact.name}, version {artefact.version}; look at "
        f"{folder / PAGE}\nnext: perennial activate {folder}",
        markup=False,
    )
