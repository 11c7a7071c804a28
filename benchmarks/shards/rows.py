"""What the laps say: medians, and the ratios to one index and to one shard."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from benchmarks.shards.laps import Lap, Recall
from lab.shown.tables import table


@dataclass(frozen=True, slots=True)
class Variant:
    """A way of looking up: the rule for the algorithm, all shards, and the searched ones."""

    rule: str
    shards: int
    searched: int

    @property
    def one_index(self) -> "Variant":
        """The same entries in a single index."""
        return Variant(self.rule, 1, 1)

    @property
    def own_shard(self) -> "Variant":
        """The same shards, of which a probe searches its own only."""
        return Variant(self.rule, self.shards, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of a variant. Ratios are taken within each round, then their median.

    Attributes:
        entries: of the whole gallery.
        rule: how the algorithm is chosen.
        shards: that the gallery is cut into.
        searched: how many of them a probe searches.
        algorithm: of the indexes, as Redis reports it.
        rate: probes per second.
        to_one_index: rate / rate of the same entries in one index.
        cost: seconds a probe / seconds a probe that searches its own shard only.
        server: share of the time in which Redis was busy searching.
        client: share of the time in which the client was busy.
        recall: of the truly nearest entries of the searched shards.
        rates: probes per second in each round.
    """

    entries: int
    rule: str
    shards: int
    searched: int
    algorithm: str
    rate: float
    to_one_index: float
    cost: float
    server: float
    client: float
    recall: Recall
    rates: tuple[float, ...]


def row(
    entries: int,
    variant: Variant,
    laps: Mapping[Variant, Sequence[Lap]],
    algorithm: str,
    recall: Recall,
) -> Row:
    """Return the row of a variant; ``laps`` has it, its one index and its own shard."""
    mine, one, own = (
        [lap.rate for lap in laps[v]] for v in (variant, variant.one_index, variant.own_shard)
    )
    return Row(
        entries=entries,
        rule=variant.rule,
        shards=variant.shards,
        searched=variant.searched,
        algorithm=algorithm,
        rate=median(mine),
        to_one_index=median(m / o for m, o in zip(mine, one, strict=True)),
        cost=median(o / m for m, o in zip(mine, own, strict=True)),
        server=median(lap.server for lap in laps[variant]),
        client=median(lap.client for lap in laps[variant]),
        recall=recall,
        rates=tuple(mine),
    )


def shown(rows: Iterable[Row]) -> Table:
    """Return rows of one size and rule as a table."""
    grid = table(
        *("shards", "searched", "index", "probes/s", "× one", "cost"),
        *("Redis", "client", "recall@1", "@k"),
    )
    for one in rows:
        grid.add_row(
            *(str(one.shards), str(one.searched), one.algorithm, f"{one.rate:.0f}"),
            *(f"{one.to_one_index:.2f}", f"{one.cost:.2f}"),
            *(f"{one.server:.0%}", f"{one.client:.0%}"),
            *(f"{one.recall.at_1:.3f}", f"{one.recall.at_k:.3f}"),
        )
    return grid
