"""What each shard holds, and the thresholds that follow from it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TypeVar

from recognition.cluster import EVERYWHERE
from streams.conditioning.artefact import Artefact
from streams.gallery.impostors import FittedWatch, Member, PlainWatch, Watch
from streams.index.base import ShardState

T = TypeVar("T")

Shard = tuple[str, str]
"""Model version and cluster."""


class Census:
    """Counts the active entries of each shard, and shows them to the watch of their model.

    Counting is done at once; the watches look later, at all that has changed by then.

    Args:
        artefact: of the active conditioning; it brings its FPIR.
        target_fpir: what the thresholds of plain models keep.
    """

    def __init__(self, artefact: Artefact | None, target_fpir: float) -> None:
        self._artefact = artefact
        self._target_fpir = target_fpir
        self._identities: dict[Shard, Counter[str]] = {}
        self._sizes: Counter[Shard] = Counter()
        self._watches: dict[str, Watch] = {}
        self._seen: dict[tuple[str, str], Member | None] = {}  # what a watch saw of what changed
        self._now: dict[tuple[str, str], Member | None] = {}

    def add(self, model: str, member: Member) -> None:
        """Count an entry in."""
        self._changed(model, member.entry_id, None, member)
        for shard in _shards(model, member):
            self._sizes[shard] += 1
            self._identities.setdefault(shard, Counter())[member.identity] += 1

    def remove(self, model: str, member: Member) -> None:
        """Count an entry out."""
        self._changed(model, member.entry_id, member, None)
        for shard in _shards(model, member):
            _take_one(self._sizes, shard)
            identities = self._identities[shard]
            _take_one(identities, member.identity)
            if not identities:
                del self._identities[shard]

    def look(self) -> None:
        """Show the watches what changed since they looked last."""
        gone: dict[str, list[Member]] = defaultdict(list)
        come: dict[str, list[Member]] = defaultdict(list)
        for (model, entry_id), before in self._seen.items():
            after, watch = self._now[model, entry_id], self._watch(model)
            if before is not None and after is not None and watch.same(before, after):
                continue
            gone[model].extend([] if before is None else [before])
            come[model].extend([] if after is None else [after])
        self._seen, self._now = {}, {}
        for model in gone.keys() | come.keys():
            self._watch(model).change(gone[model], come[model])

    def shards(self) -> dict[str, dict[str, ShardState]]:
        """Return the state of each shard that holds an entry, by model and cluster."""
        self.look()
        found: dict[str, dict[str, ShardState]] = defaultdict(dict)
        for (model, cluster), identities in self._identities.items():
            found[model][cluster] = ShardState(
                entries=self._sizes[model, cluster],
                identities=len(identities),
                threshold=self._watches[model].of_shards().get(cluster),
            )
        return dict(found)

    def thresholds(self) -> dict[str, dict[str, float]]:
        """Return the thresholds by model and cluster of the probe, where there are such."""
        self.look()
        found = {model: dict(watch.of_probes()) for model, watch in self._watches.items()}
        return {model: own for model, own in found.items() if own}

    def _changed(
        self, model: str, entry_id: str, before: Member | None, after: Member | None
    ) -> None:
        self._seen.setdefault((model, entry_id), before)
        self._now[model, entry_id] = after

    def _watch(self, model: str) -> Watch:
        if model not in self._watches:
            artefact = self._artefact
            if artefact is not None and artefact.model == model:
                self._watches[model] = FittedWatch(artefact.conditioning, artefact.fpir)
            else:
                self._watches[model] = PlainWatch(self._target_fpir)
        return self._watches[model]


def _shards(model: str, member: Member) -> Iterator[Shard]:
    yield model, member.spot.cluster
    yield model, EVERYWHERE


def _take_one(counts: Counter[T], what: T) -> None:
    counts[what] -= 1
    if not counts[what]:
        del counts[what]
