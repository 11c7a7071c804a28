"""``perennial doctor``: is everything there, and what to do when it is not."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from client.doctor import Finding, Level, examine
from infra.commands.options import Json
from infra.console import out, print_json, say
from schemas.errors import SetupError
from schemas.settings import load_settings

_COLORS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


Measure = Annotated[
    bool,
    typer.Option(help="Measure every runtime of the model here, and remember the fastest (1 min)."),
]


def doctor(*, measure: Measure = False, json: Json = False) -> None:
    """Look at settings, broker, topics, Redis, clock, model and runtime, and say what to do.

    Exit 1 when something fails; warnings are no failure.

    Example:  perennial doctor
    """
    findings: list[Finding] = []
    for finding in _findings(measure=measure):
        findings.append(finding)
        if not json:
            _show(finding)
    if json:
        print_json([asdict(finding) for finding in findings])
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(1)


def _findings(*, measure: bool) -> Iterator[Finding]:
    try:
        settings = load_settings()
    except SetupError as error:
        yield Finding("settings", Level.FAIL, str(error))
        return
    yield from examine(settings, measure=measure)


def _show(finding: Finding) -> None:
    level, name = (f"{finding.level:4}", _COLORS[finding.level]), (f"{finding.name:9}", "bold")
    out.print(Text.assemble(level, " ", name, " "), end="")
    say(finding.detail)
    if finding.remedy:
        say(f"     → {finding.remedy}")
