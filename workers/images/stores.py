"""Image stores: which of them have answered, and when."""

import asyncio
import math
from dataclasses import dataclass, field

from yarl import URL

from schemas.errors import DependencyDown

PART = "image store"
MAX_AT_ONCE = 8
"""Images of one store that are fetched at once by frames that stepped aside."""


@dataclass(slots=True, eq=False)
class Store:
    """One place that images come from: scheme, host and port, or ``file://``.

    An answer is whatever settles a request: an image, or that there is none to be had. An error
    that may pass (status 500 and above, 408, 425, 429), a refused connection and silence are none.

    Attributes:
        known: what to ask for to learn whether it answers: the last image that it gave, before
            that the prefix that allows it.
        answered_at: when it last answered anybody, in the event loop's time.
        asked_at: when ``known`` was last asked for.
        quiet: it has failed, and has answered nobody since.
    """

    name: str
    known: URL
    answered_at: float = -math.inf
    asked_at: float = -math.inf
    quiet: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_AT_ONCE))

    @property
    def part(self) -> str:
        """Its name in readiness."""
        return f"{PART} {self.name}"

    def answered(self, image: URL | None = None) -> None:
        """Note an answer, and where the image lies when it was one."""
        self.answered_at = asyncio.get_running_loop().time()
        self.quiet = False
        if image is not None:
            self.known = image


class StoreDown(DependencyDown):
    """A store does not answer, or says that it cannot just now."""

    def __init__(self, store: Store, why: str) -> None:
        super().__init__(store.part, why)
        self.store = store


class Stores:
    """The stores met so far; the operator's list of prefixes bounds their number."""

    def __init__(self) -> None:
        self._stores: dict[str, Store] = {}

    def of(self, url: URL, prefix: URL) -> Store:
        """Return the store behind ``url``, which ``prefix`` allows."""
        name = "file://" if url.scheme == "file" else str(url.origin())
        return self._stores.setdefault(name, Store(name, prefix))
