"""Options that several commands share, so that they mean the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the change.")]
Actor = Annotated[str, typer.Option(help="Who; it is kept with the change.")]
Manifest = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST.CSV",
        exists=True,
        dir_okay=False,
        help="path,label,captured_at, then one column per background variable.",
    ),
]
Splits = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="split,scenario,path,part,role; else splits.csv beside the manifest, or new ones.",
    ),
]
