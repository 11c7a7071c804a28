"""``perennial schema``: write the documents that follow from the models."""

from pathlib import Path
from typing import Annotated

import typer

from infra.console import err, say
from infra.schema_docs import stale, write


def schema(
    *,
    docs: Annotated[Path, typer.Option(file_okay=False, help="The folder to write to.")] = Path(
        "docs"
    ),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when something is stale.")
    ] = False,
) -> None:
    """Write the JSON Schema of every event, the AsyncAPI document and the table of settings.

    Example:  perennial schema --check
    """
    if not check:
        changed = write(docs)
        for path in changed:
            say(f"wrote {docs / path}")
        return
    outdated = stale(docs)
    for path in outdated:
        err.print(f"stale: {docs / path}", style="red", markup=False)
    if outdated:
        err.print("run `perennial schema`", markup=False)
        raise typer.Exit(1)
