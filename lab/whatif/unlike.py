"""Whether a replay is laid out as the running system is."""

from streams.index.base import GalleryState

_NEARLY = 1e-3


def unlike(live: GalleryState | None, here: GalleryState) -> str | None:
    """Say which setting seems to differ from those of the running streams; None if none.

    A command knows its own settings only; the shards and thresholds in the index tell the others.
    Where there is no index, or it lies by another conditioning, nothing can be said.
    """
    if live is None or live.conditioning != here.conditioning:
        return None
    if live.shards.keys() != here.shards.keys():
        return _words("other shards", "PERENNIAL_SHARD_BY")
    if live.shards == here.shards and not _alike(_thresholds(live), _thresholds(here)):
        return _words("other thresholds", "PERENNIAL_TARGET_FPIR")
    return None


def _thresholds(state: GalleryState) -> list[float | None]:
    """Return those of all shards, in the order of their names."""
    return [
        shards[cluster].threshold
        for _, shards in sorted(state.models.items())
        for cluster in sorted(shards)
    ]


def _alike(some: list[float | None], others: list[float | None]) -> bool:
    """Compare, but for rounding; they are as many."""
    return all(
        one is other or (one is not None and other is not None and abs(one - other) <= _NEARLY)
        for one, other in zip(some, others, strict=True)
    )


def _words(what: str, setting: str) -> str:
    return (
        f"The running index has {what} than these settings give: unless the gallery changed just "
        f"now, set {setting} here as it is set for `perennial streams`."
    )
