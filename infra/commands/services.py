"""``perennial worker`` and ``perennial streams``: the two services."""

from typing import Annotated

import typer

from infra.commands.panels import panel
from schemas.settings import load_settings

AGENTS = frozenset({"matcher", "review", "gallery"})


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("worker", rich_help_panel=panel("worker"))(worker)
    app.command("streams", rich_help_panel=panel("streams"))(streams)


def worker() -> None:
    """Run an embedding worker: frames in, embeddings out.

    Start as many as you like: they share the frames. Ctrl-C ends it, and what it had not finished
    is taken over.

    Example:  PERENNIAL_WORKER_PORT=0 perennial worker
    """
    settings = load_settings()
    settings.need_kafka()
    from infra.reading.second_reader import (
        second_reader,  # here, so that `perennial --help` is fast
    )
    from infra.serve import serve
    from infra.topic_check import on_checked_topics
    from schemas.runtime import Runtime
    from workers.service.embedder import run

    second = second_reader(settings)

    serve(
        "worker",
        settings.worker_port,
        settings,
        on_checked_topics(
            settings,
            lambda metrics, health, stop: run(Runtime(settings, metrics, health), stop, second),
        ),
    )


def streams(
    only: Annotated[
        str, typer.Option(metavar="NAMES", help="Run these agents: matcher,review,gallery.")
    ] = "matcher,review,gallery",
    *,
    accept_cut_log: Annotated[
        bool,
        typer.Option(
            "--accept-cut-log",
            help="Go on with a gallery topic whose first records were deleted.",
        ),
    ] = False,
) -> None:
    """Run the matcher and the review and gallery agents: embeddings in, answers out.

    The gallery has one writer, so run the gallery agent once; matchers share the embeddings.

    Example:  perennial streams --only matcher
    """
    agents = _agents(only)
    settings = load_settings(**({"accept_cut_log": True} if accept_cut_log else {}))
    settings.need_kafka()
    settings.need_redis()
    from infra.reading.second_reader import (
        second_reader,  # here, so that `perennial --help` is fast
    )
    from infra.serve import serve
    from infra.topic_check import on_checked_topics
    from streams.app import run

    second = second_reader(settings)

    serve(
        "streams",
        settings.streams_port,
        settings,
        on_checked_topics(
            settings,
            lambda metrics, health, stop: run(settings, metrics, health, stop, agents, second),
        ),
    )


def _agents(only: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in only.split(",") if name.strip())
    unknown = names - AGENTS
    if unknown or not names:
        raise typer.BadParameter(
            f"{only!r}: name some of {', '.join(sorted(AGENTS))}, separated by commas",
            param_hint="--only",
        )
    return names
