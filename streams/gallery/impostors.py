"""Which strangers set the thresholds of a model: its entries themselves, or held-out impostors."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from recognition.bootstrap import Interval
from recognition.cluster import EVERYWHERE, Cluster
from recognition.conditioning import Conditioning
from recognition.impostors import NearestImpostors
from recognition.watch import ImpostorWatch
from streams.conditioning.placed import joined
from streams.gallery.placed_entry import PlacedEntry

Thresholds = Mapping[Cluster, float]


class ModelThresholds(Protocol):
    """The thresholds of one model, as its active entries come and go."""

    def same(self, one: PlacedEntry, other: PlacedEntry) -> bool:
        """Whether the one in place of the other would change nothing."""
        ...

    def update(self, gone: Sequence[PlacedEntry], new: Sequence[PlacedEntry]) -> None:
        """Take over what changed; many at once are faster than one by one."""
        ...

    def of_shards(self) -> Thresholds:
        """Return the thresholds by the cluster that is searched; without those that have none."""
        ...

    def of_probes(self) -> Thresholds:
        """Return the thresholds by the probe's cluster, for the whole gallery."""
        ...

    def keep(self, fpir: float) -> None:
        """Keep another FPIR from now on."""
        ...

    def interval(self, strangers: int) -> Interval | None:
        """Return within what the FPIR of so many strangers will lie.

        None where there is no threshold: nobody is identified then, so no stranger is.
        """
        ...


class PlainThresholds:
    """Without a conditioning the entries themselves play the strangers, each shard for itself."""

    def __init__(self, target_fpir: float) -> None:
        self._target_fpir = target_fpir
        self._shards: dict[str, NearestImpostors] = {}
        self._changed: set[str] = set()
        self._thresholds: dict[str, float] = {}

    def same(self, one: PlacedEntry, other: PlacedEntry) -> bool:
        """Whether they are of one identity at one place."""
        return one.identity == other.identity and one.placed is other.placed

    def update(self, gone: Sequence[PlacedEntry], new: Sequence[PlacedEntry]) -> None:
        """Take over what changed, in the shards and in all of them together."""
        left, entered = _by_shard(gone), _by_shard(new)
        for shard in left.keys() | entered.keys():
            for member in left[shard]:
                self._shards[shard].remove(member.entry_id)
            self._extend(shard, entered[shard])
            self._changed.add(shard)

    def of_shards(self) -> Thresholds:
        """Return those of shards with enough identities."""
        while self._changed:
            shard = self._changed.pop()
            threshold = self._shards[shard].threshold(self._target_fpir)
            self._thresholds.pop(shard, None)
            if threshold is not None:
                self._thresholds[shard] = threshold
        return self._thresholds

    def of_probes(self) -> Thresholds:
        """Return nothing."""
        return {}

    def keep(self, fpir: float) -> None:
        """Keep another FPIR in every shard."""
        self._target_fpir = fpir
        self._changed |= self._shards.keys()

    def interval(self, strangers: int) -> Interval | None:
        """Return that of all entries together, shards or not."""
        threshold = self.of_shards().get(EVERYWHERE)
        if threshold is None:
            return None
        tail = self._shards[EVERYWHERE].tail()
        return None if tail is None else tail.interval(threshold, strangers=strangers)

    def _extend(self, shard: str, members: Sequence[PlacedEntry]) -> None:
        if not members:
            return
        if not self._shards.get(shard):  # an empty one may be of another size
            self._shards[shard] = NearestImpostors(members[0].placed.vector.size)
        self._shards[shard].extend(
            [member.entry_id for member in members],
            [member.identity for member in members],
            np.stack([member.placed.vector for member in members]),
        )


class FittedThresholds:
    """The held-out impostors of a conditioning play the strangers."""

    def __init__(self, conditioning: Conditioning, fpir: float) -> None:
        self._fpir = fpir
        self._impostors = ImpostorWatch(conditioning)
        self._thresholds: Thresholds | None = None

    def same(self, one: PlacedEntry, other: PlacedEntry) -> bool:
        """Whether they lie at one place; whose they are does not matter to a stranger."""
        return one.placed is other.placed

    def update(self, gone: Sequence[PlacedEntry], new: Sequence[PlacedEntry]) -> None:
        """Take over what changed."""
        self._impostors.discard([member.entry_id for member in gone])
        if new:
            placed = joined([member.placed for member in new])
            self._impostors.extend([member.entry_id for member in new], placed)
        self._thresholds = None

    def of_shards(self) -> Thresholds:
        """Return nothing: a threshold is about the whole gallery."""
        return {}

    def of_probes(self) -> Thresholds:
        """Return those of all fitted clusters."""
        if self._thresholds is None:
            self._thresholds = self._impostors.thresholds(self._fpir)
        return self._thresholds

    def keep(self, fpir: float) -> None:
        """Keep another FPIR than the conditioning's."""
        self._fpir, self._thresholds = fpir, None

    def interval(self, strangers: int) -> Interval | None:
        """Return that of the impostors, by the gallery of the moment."""
        tails = self._impostors.tails()
        return None if tails is None else tails.interval(self._fpir, strangers=strangers)


def _by_shard(members: Sequence[PlacedEntry]) -> defaultdict[str, list[PlacedEntry]]:
    shards: defaultdict[str, list[PlacedEntry]] = defaultdict(list)
    for member in members:
        shards[member.placed.cluster].append(member)
        shards[EVERYWHERE].append(member)
    return shards
