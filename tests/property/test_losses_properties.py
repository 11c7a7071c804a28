"""Our own pure losses against plain Python loops over the formulas of the papers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.loss_batches import at
from workers.training.losses import MetricLoss
from workers.training.losses.base import Batch
from workers.training.losses.gs_trs import GroupSensitiveTriplet
from workers.training.losses.ladder import Ladder
from workers.training.losses.magnet import Magnet
from workers.training.losses.quadruplet import Quadruplet

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Row:
    degrees: float
    label: int
    group: int
    background: float  # NaN where not known

    @property
    def point(self) -> Point:
        angle = math.radians(self.degrees)
        return math.cos(angle), math.sin(angle)


rows = st.lists(
    st.builds(
        Row,
        degrees=st.integers(0, 359),
        label=st.integers(0, 2),
        group=st.integers(0, 1),
        background=st.sampled_from([0.0, 0.5, 1.0, math.nan]),
    ),
    min_size=1,
    max_size=9,
)


def made_of(batch: list[Row]) -> Batch:
    return at(
        [row.degrees for row in batch],
        [row.label for row in batch],
        [row.group for row in batch],
        [[row.background] for row in batch],
    )


def value(loss: MetricLoss, batch: list[Row]) -> float:
    return loss(made_of(batch)).item()


def has_pairs(batch: list[Row]) -> bool:
    labels = [row.label for row in batch]
    return len(set(labels)) > 1 and len(set(labels)) < len(labels)


def squared(x: Point, y: Point) -> float:
    return (x[0] - y[0]) ** 2 + (x[1] - y[1]) ** 2


def middle(batch: list[Row]) -> Point:
    points = [row.point for row in batch]
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)


def average(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def quadruplet(batch: list[Row]) -> float:
    hinges = []
    for i, j in product(batch, batch):
        if i is j or i.label != j.label:
            continue
        d = squared(i.point, j.point)
        others = [row for row in batch if row.label != i.label]
        nearest = min(squared(i.point, k.point) for k in others)
        strangers = [
            squared(k.point, m.point) for k, m in product(others, others) if k.label != m.label
        ]
        hinges.append(
            max(d - nearest + 0.4, 0) + max(d - min(strangers, default=math.inf) + 0.2, 0)
        )
    return average(hinges)


def magnet(batch: list[Row]) -> float:
    sizes = {(row.label, row.group): 0 for row in batch}
    for row in batch:
        sizes[row.label, row.group] += 1
    clusters: dict[tuple[int, int], list[Row]] = {}
    for row in batch:
        lone = sizes[row.label, row.group] == 1
        clusters.setdefault((row.label, -1 if lone else row.group), []).append(row)
    members = [(key, row) for key, found in clusters.items() for row in found if len(found) > 1]
    if not members:
        return 0
    own = [squared(row.point, middle(clusters[key])) for key, row in members]
    variance = max(sum(own) / (len(members) - 1), 0.01)
    hinges = []
    for (key, row), distance in zip(members, own, strict=True):
        repulsion = sum(
            math.exp(-squared(row.point, middle(found)) / (2 * variance))
            for other, found in clusters.items()
            if other[0] != key[0]
        )
        ratio = math.exp(-distance / (2 * variance) - 1) / repulsion
        hinges.append(max(-math.log(ratio), 0))
    return average(hinges)


def ladder(batch: list[Row]) -> float:
    gaps = [abs(x.background - y.background) for x, y in product(batch, batch) if x is not y]
    usual = average([gap for gap in gaps if not math.isnan(gap)])
    rungs: tuple[list[float], list[float]] = ([], [])
    for anchor in batch:
        rest = [row for row in batch if row is not anchor]
        same = [row for row in rest if row.label == anchor.label]
        near = [row for row in same if abs(row.background - anchor.background) <= usual + 1e-9]
        for hinges, above, margin in ((rungs[0], same, 0.2), (rungs[1], near, 0.01)):
            below = [row for row in rest if row not in above]
            if above and below:
                lowest = min(math.cos(math.radians(anchor.degrees - r.degrees)) for r in above)
                highest = max(math.cos(math.radians(anchor.degrees - r.degrees)) for r in below)
                hinges.append(max(margin - lowest + highest, 0))
    return average(rungs[0]) + 0.25 * average(rungs[1])


def gs_trs(batch: list[Row]) -> float:
    def triplets(inside: list[Row], outside: list[Row], margin: float) -> list[float]:
        if len(inside) < 2 or not outside:
            return []
        centre = middle(inside)
        nearest = min(squared(row.point, centre) for row in outside)
        return [max(squared(row.point, centre) - nearest + margin, 0) for row in inside]

    between, within = [], []
    for label in {row.label for row in batch}:
        identity = [row for row in batch if row.label == label]
        between += triplets(identity, [row for row in batch if row.label != label], 0.4)
        for group in (0, 1):
            inside = [row for row in identity if row.group == group]
            within += triplets(inside, [row for row in identity if row.group != group], 0.1)
    return 0.8 * average(between) + 0.2 * average(within)


ORACLES: dict[type[MetricLoss], Callable[[list[Row]], float]] = {
    Quadruplet: quadruplet,
    Magnet: magnet,
    Ladder: ladder,
    GroupSensitiveTriplet: gs_trs,
}
each = pytest.mark.parametrize("kind", ORACLES, ids=lambda kind: kind.__name__)


@each
@given(batch=rows)
def test_it_is_the_formula_of_its_paper(kind: type[MetricLoss], batch: list[Row]) -> None:
    expected = ORACLES[kind](batch) if has_pairs(batch) else 0.0
    assert value(kind(), batch) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@each
@given(batch=rows, data=st.data())
def test_the_order_of_the_rows_is_of_no_account(
    kind: type[MetricLoss], batch: list[Row], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(batch))
    assert value(kind(), shuffled) == pytest.approx(value(kind(), batch), rel=1e-9, abs=1e-12)


@each
@given(batch=rows, turn=st.integers(0, 359))
def test_only_angles_between_embeddings_count(
    kind: type[MetricLoss], batch: list[Row], turn: int
) -> None:
    turned = [Row(row.degrees + turn, row.label, row.group, row.background) for row in batch]
    assert value(kind(), turned) == pytest.approx(value(kind(), batch), rel=1e-6, abs=1e-9)


@each
@given(batch=rows)
def test_slopes_are_finite(kind: type[MetricLoss], batch: list[Row]) -> None:
    made = made_of(batch)
    torch.autograd.backward(kind()(made))
    assert made.embeddings.grad is not None
    assert made.embeddings.grad.isfinite().all()
