"""An index that is empty, or is made anew at this instant: what a search does then."""

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from schemas.errors import DependencyDown
from streams.index.base import GalleryState, Index, IndexDiffers

_PAUSE_S = 0.05  # before a search is repeated


def while_it_differs(patience_s: float) -> AsyncRetrying:
    """Return attempts, for so long, at what raises that the index differs from its state."""
    return AsyncRetrying(
        retry=retry_if_exception_type(IndexDiffers),
        stop=stop_after_delay(patience_s),
        wait=wait_fixed(_PAUSE_S),
        reraise=True,
    )


async def written_state(index: Index) -> GalleryState:
    """Return the state of an index that has one.

    Raises:
        DependencyDown: it is empty.
    """
    state = await index.state()
    if state is None:
        raise DependencyDown("gallery", "the index is empty; the gallery agent must write it")
    return state
