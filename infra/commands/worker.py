"""``perennial worker``: frames in, embeddings out."""

from access.rights import Role
from infra.serve import on_checked_topics, serve
from schemas.settings import load_settings
from workers.service.embedder import run


def worker() -> None:
    """Run an embedding worker: frames in, embeddings out.

    Start as many as you like: they share the frames. Ctrl-C ends it, and what it had not finished
    is taken over.

    Example:  PERENNIAL_WORKER_PORT=0 perennial worker
    """
    settings = load_settings()
    settings.need_kafka()
    serve("worker", settings.worker_port, settings, on_checked_topics(run, Role.WORKER))
