"""Which conditioning the gallery is placed by, and which one somebody wants."""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from schemas.conditioning import Activation, ArtefactRef
from schemas.errors import DependencyDown, SetupError
from streams.conditioning.artefact import ArtefactMissing
from streams.conditioning.placement import Placements
from streams.gallery.holdings import Holdings
from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import GalleryState

log = logging.getLogger(__name__)

RETRY_S = 5.0


LastActivation = Callable[[], Awaitable[Activation | None]]
"""Returns the last record of the ``conditioning`` topic; None where there is none."""


class Activator:
    """Follows the ``conditioning`` topic.

    What is active is what the index says: a record asks for a change, and one that cannot be
    carried out leaves everything as it is. It is told, and tried again: an artefact that is missing
    may come, and one that is damaged may be mended.
    """

    def __init__(self, last: LastActivation, placements: Placements, target_fpir: float) -> None:
        self._last = last
        self._placements = placements
        self._target_fpir = target_fpir
        self._record: Activation | None = None
        self._problem: DependencyDown | None = None
        self._retry_at = 0.0

    @property
    def wanted(self) -> ArtefactRef | None:
        """What the topic asks for; None is plain."""
        return None if self._record is None else self._record.artefact

    async def read(self) -> None:
        """Read the topic to its end."""
        record = await self._last()
        if record != self._record:
            self._record, self._problem = record, None

    def plain(self) -> PlacedGallery:
        """Return an empty gallery without a conditioning."""
        return PlacedGallery(self._placements.plain, None, self._target_fpir)

    async def begin(self, present: GalleryState | None, holdings: Holdings) -> PlacedGallery:
        """Return an empty gallery placed as the index is; without an index, as is wanted.

        Where that cannot be loaded, the next best: what is wanted, or what was active before a
        wanted one that is damaged. A missing one is waited for.

        Raises:
            DependencyDown: neither can be loaded.
        """
        problems = []
        for active in self._candidates(present):
            try:
                return await self._empty(active, holdings)
            except SetupError as error:
                problems.append(error)
                if present is None and isinstance(error, ArtefactMissing):
                    break
        raise self.refuse(problems[0])

    async def next(self, holdings: Holdings) -> PlacedGallery | None:
        """Return the empty gallery to move to; None where the present one is what is wanted.

        Raises:
            DependencyDown: what is wanted cannot be loaded, or is for vectors of another size.
        """
        if self.wanted == holdings.placed.active:
            self._problem = None
            return None
        self.wait()
        try:
            return await self._empty(self.wanted, holdings)
        except SetupError as error:
            raise self.refuse(error) from error

    def wait(self) -> None:
        """Raise the last problem again while it is too early to try anew."""
        if self._problem is not None and monotonic() < self._retry_at:
            raise self._problem

    def refuse(self, error: Exception) -> DependencyDown:
        """Note that what is wanted cannot be had, and return what to raise."""
        if self._problem is None:
            log.warning("the conditioning stays as it is: %s", error)
        self._problem = DependencyDown("conditioning", str(error))
        self._retry_at = monotonic() + RETRY_S
        return self._problem

    def _candidates(self, present: GalleryState | None) -> list[ArtefactRef | None]:
        if present is not None:
            return [present.conditioning, self.wanted]
        before = None if self._record is None else self._record.artefact_before
        return [self.wanted, before]

    async def _empty(self, active: ArtefactRef | None, holdings: Holdings) -> PlacedGallery:
        placement = await self._placements.under(active)
        artefact = placement.artefact
        if artefact is not None:
            size = holdings.dimension(artefact.model)
            if size not in (None, artefact.dimension):
                raise SetupError(
                    f"conditioning {artefact.name} {artefact.version} is for vectors of "
                    f"{artefact.dimension} numbers; entries of {artefact.model} have {size}"
                )
        return PlacedGallery(placement, active, self._target_fpir)
