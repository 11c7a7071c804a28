"""``perennial streams``: embeddings in, answers out."""

from typing import Annotated

import typer

from access.rights import Role
from infra.serve import on_checked_topics, serve
from schemas.settings import load_settings
from streams.app import AGENTS, run

_ALL = ",".join(AGENTS)


def streams(
    only: Annotated[str, typer.Option(metavar="NAMES", help=f"Run these agents: {_ALL}.")] = _ALL,
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
    serve(
        "streams",
        settings.streams_port,
        settings,
        on_checked_topics(lambda runtime, stop: run(runtime, stop, agents), Role.STREAMS),
    )


def _agents(only: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in only.split(",") if name.strip())
    unknown = names - AGENTS.keys()
    if unknown or not names:
        raise typer.BadParameter(
            f"{only!r}: name some of {', '.join(sorted(AGENTS))}, separated by commas",
            param_hint="--only",
        )
    return names
