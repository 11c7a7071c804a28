"""What each shard holds, and the thresholds that follow from it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TypeVar

from recognition.cluster import EVERYWHERE, Cluster
from streams.conditioning.artefact import Artefact
from streams.gallery.impostors import FittedThresholds, ModelThresholds, PlainThresholds
from streams.gallery.placed_entry import PlacedEntry
from streams.index.base import ShardState

T = TypeVar("T")

ModelCluster = tuple[str, Cluster]
"""Model version and cluster."""


class ShardStates:
    """Counts the active entries of each shard, and has the thresholds of their models.

    Counts update at once; thresholds are computed lazily, for all changes since.

    Args:
        artefact: of the active conditioning; it brings its FPIR.
        target_fpir: what the thresholds of plain models keep.
    """

    def __init__(self, artefact: Artefact | None, target_fpir: float) -> None:
        self._artefact = artefact
        self._target_fpir = target_fpir
        self._identities: dict[ModelCluster, Counter[str]] = {}
        self._sizes: Counter[ModelCluster] = Counter()
        self._models: dict[str, ModelThresholds] = {}
        self._before: dict[tuple[str, str], PlacedEntry | None] = {}  # before the changes
        self._after: dict[tuple[str, str], PlacedEntry | None] = {}

    def add(self, model: str, member: PlacedEntry) -> None:
        """Count an entry in."""
        self._changed(model, member.entry_id, None, member)
        for shard in _shards(model, member):
            self._sizes[shard] += 1
            self._identities.setdefault(shard, Counter())[member.identity] += 1

    def remove(self, model: str, member: PlacedEntry) -> None:
        """Count an entry out."""
        self._changed(model, member.entry_id, member, None)
        for shard in _shards(model, member):
            _take_one(self._sizes, shard)
            identities = self._identities[shard]
            _take_one(identities, member.identity)
            if not identities:
                del self._identities[shard]

    def update_thresholds(self) -> None:
        """Take what changed since the last time into the thresholds."""
        gone: dict[str, list[PlacedEntry]] = defaultdict(list)
        new: dict[str, list[PlacedEntry]] = defaultdict(list)
        for (model, entry_id), before in self._before.items():
            after, thresholds = self._after[model, entry_id], self.of_model(model)
            if before is not None and after is not None and thresholds.same(before, after):
                continue
            gone[model].extend([] if before is None else [before])
            new[model].extend([] if after is None else [after])
        self._before, self._after = {}, {}
        for model in gone.keys() | new.keys():
            self.of_model(model).update(gone[model], new[model])

    def shards(self) -> dict[str, dict[Cluster, ShardState]]:
        """Return the state of each shard that holds an entry, by model and cluster."""
        self.update_thresholds()
        states: dict[str, dict[Cluster, ShardState]] = defaultdict(dict)
        for (model, cluster), identities in self._identities.items():
            states[model][cluster] = ShardState(
                entries=self._sizes[model, cluster],
                identities=len(identities),
                threshold=self._models[model].of_shards().get(cluster),
            )
        return dict(states)

    def thresholds(self) -> dict[str, dict[Cluster, float]]:
        """Return the thresholds by model and cluster of the probe, where there are such."""
        self.update_thresholds()
        by_model = {model: dict(held.of_probes()) for model, held in self._models.items()}
        return {model: thresholds for model, thresholds in by_model.items() if thresholds}

    def _changed(
        self, model: str, entry_id: str, before: PlacedEntry | None, after: PlacedEntry | None
    ) -> None:
        self._before.setdefault((model, entry_id), before)
        self._after[model, entry_id] = after

    def of_model(self, model: str) -> ModelThresholds:
        """Return the thresholds of a model, which change as its entries do."""
        if model not in self._models:
            artefact = self._artefact
            if artefact is not None and artefact.model == model:
                self._models[model] = FittedThresholds(artefact.conditioning, artefact.fpir)
            else:
                self._models[model] = PlainThresholds(self._target_fpir)
        return self._models[model]


def _shards(model: str, member: PlacedEntry) -> Iterator[ModelCluster]:
    yield model, member.placed.cluster
    yield model, EVERYWHERE


def _take_one(counts: Counter[T], what: T) -> None:
    counts[what] -= 1
    if not counts[what]:
        del counts[what]
