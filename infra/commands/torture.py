"""``perennial torture``: the whole system under faults, with an account at the end."""

from enum import StrEnum
from typing import Annotated

import typer

from infra.commands.options import Json
from infra.console import out, print_json
from infra.torture.faults import RunPlan
from infra.torture.run import play
from infra.torture.screen import show
from schemas.choices import BrokerKind
from schemas.settings import load_settings


class Faults(StrEnum):
    """Which faults there are."""

    ALL = "all"
    REBALANCE = "rebalance"


def torture(
    *,
    minutes: Annotated[float, typer.Option(min=0.2, help="How long frames and faults come.")] = 3,
    faults: Annotated[
        Faults, typer.Option(help="rebalance: only workers and streams that join and leave.")
    ] = Faults.ALL,
    every: Annotated[float, typer.Option(min=1, help="Mean seconds between two faults.")] = 6,
    broker: Annotated[
        BrokerKind | None,
        typer.Option(help="Which broker; the embedded one, all in memory, is never killed."),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.5, help="Records published per second.")] = 10,
    seed: Annotated[int, typer.Option(help="Another one plans other faults and frames.")] = 7,
    json: Json = False,
) -> None:
    """Run everything under random faults, and hold what came out against what went in.

    Two workers, two streams, Redis and the broker are killed, paused, asked to end and emptied,
    others join and leave, bad records and repeats come among good frames, and people answer and
    change the gallery. Exit 1 when a record was lost, an outcome cannot be true, or the gallery
    differs from what was decided, or Redis from the gallery; then the logs stay.

    Example:  perennial torture --minutes 3 --seed 11

    Example:  perennial torture --faults rebalance --every 20 --minutes 30
    """
    plan = RunPlan(minutes * 60, rate, every, seed, faults is Faults.REBALANCE)
    settings = load_settings() if broker is None else load_settings(broker=broker)
    account = play(settings, plan)
    if json:
        print_json(account.as_json())
    else:
        show(account, out)
    if not account.clean:
        raise typer.Exit(1)
