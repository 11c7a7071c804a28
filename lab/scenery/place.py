"""A place along the trail: its own ridges, ground, path, trees and landmark, from its seed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lab.scenery.shapes import Shape, blob, limb, polygon
from lab.scenery.sites import Ground, Site, site
from lab.scenery.trees import TREES

Rng = np.random.Generator
ASPECT: Final = 4 / 3

# Stones, shrubs, tufts of grass, flowers.
_CLUTTER: Final = {
    "meadow": (2, 4, 50, 25),
    "heath": (8, 12, 30, 15),
    "needles": (6, 6, 14, 6),
    "scree": (40, 2, 8, 3),
    "sand": (14, 4, 22, 8),
}


@dataclass(frozen=True, slots=True)
class Item:
    """Something standing: its base on the canvas, its height there, and its own outline."""

    x: float
    y: float
    size: float
    shapes: list[Shape]


@dataclass(frozen=True, slots=True)
class Place:
    """The lasting geometry of an identity, in canvas units (see ``Shape``).

    ``shapes`` come back to front; ``standing`` are those objects that cast a shadow, as
    (x, y of the base, half width, height).
    """

    name: str
    seed: tuple[int, int]
    ground: Ground
    horizon: float
    shapes: tuple[Shape, ...]
    standing: tuple[tuple[float, float, float, float], ...]


def _ridge(rng: Rng, material: str, level: float, relief: float, depth: float) -> Shape:
    """A skyline: octaves of noise over the whole width, down to the foot of the canvas."""
    x = np.linspace(-0.05, ASPECT + 0.05, 90)
    y = np.zeros_like(x)
    for octave in range(1, 6):
        wave = np.sin(x * octave * rng.uniform(2.2, 4.2) + rng.uniform(0, 2 * np.pi))
        y += (1 - np.abs(wave) * rng.uniform(0.5, 2)) / octave**1.2
    y = level - relief * (y - y.min()) / (np.ptp(y) + 1e-6)
    crest = zip(x.tolist(), y.tolist(), strict=True)
    tone = float(rng.uniform(0.9, 1.1))
    return replace(polygon(material, [(-0.05, 1), *crest, (ASPECT + 0.05, 1)], tone), depth=depth)


def _treeline(rng: Rng, horizon: float) -> Shape:
    """A far wood, one jagged polygon along part of the horizon."""
    left, right = sorted(rng.uniform(-0.2, ASPECT + 0.2, 2).tolist())
    x = np.linspace(left, max(right, left + 0.5), 60)
    height = rng.uniform(0.02, 0.07) * np.sin(np.linspace(0, np.pi, 60)) ** 0.3
    y = horizon + 0.01 - height * rng.uniform(0.5, 1.0, 60) * (1 - 0.5 * (np.arange(60) % 2))
    foot = horizon + 0.03
    crowns = zip(x.tolist(), y.tolist(), strict=True)
    wood = polygon("forest", [(left, foot), *crowns, (float(x[-1]), foot)], rng.uniform(0.85, 1.1))
    return replace(wood, depth=0.72)


def _path(rng: Rng, horizon: float, towards: float) -> Shape:
    """The trail, from the camera's feet to the skyline, winding."""
    t = np.linspace(0, 1, 30)
    start, swing = rng.uniform(0.2, ASPECT - 0.2), rng.uniform(-0.35, 0.35)
    middle = start + (towards - start) * t + swing * np.sin(np.pi * t * rng.uniform(1, 2))
    y = 1.02 - (1.02 - horizon) * t**0.75
    half = rng.uniform(0.07, 0.13) * (1 - t) ** 1.3 + 0.004
    x = np.concatenate([middle - half, (middle + half)[::-1]])
    return polygon("path", zip(x.tolist(), [*y.tolist(), *y[::-1].tolist()], strict=True))


def _scatter(rng: Rng, ground: Ground, horizon: float) -> list[Item]:
    """Stones, shrubs, tufts and flowers, smaller toward the horizon."""
    stone = str(rng.choice(["granite", "sandstone", "slate"]))
    blades = (-0.5, -0.2, 0.1, 0.45)
    kinds: tuple[tuple[float, Callable[[], list[Shape]]], ...] = (
        (0.045, lambda: [blob(rng, stone, (0, 0.3), (0.8, 0.5), rng.uniform(0.8, 1.15), 0.2)]),
        (0.07, lambda: [blob(rng, "shrub", (x, 0.5), (0.5, 0.5), 1, 0.15) for x in (-0.4, 0.4, 0)]),
        (0.05, lambda: [limb("tuft", (0, 0), (x, 1), 0.12, 0.02, 1 + 0.2 * x) for x in blades]),
        (0.012, lambda: [blob(rng, "flower", (0, 1.5), (0.6, 0.5))]),
    )
    items = []
    for count, (size, draw) in zip(_CLUTTER[ground], kinds, strict=True):
        for near in rng.uniform(0.03, 1, count) ** 0.8:
            tall = size * (0.2 + near) * rng.uniform(0.6, 1.5)
            y = horizon + (1 - horizon) * float(near)
            items.append(Item(rng.uniform(0, ASPECT), y, float(tall), draw()))
    return items


def _trees(rng: Rng, what: Site, horizon: float, landmark: Item) -> list[Item]:
    """A wood of the site's species that leaves the landmark in view."""
    items = []
    for near in rng.uniform(0.05, 0.75, int(rng.integers(5, 14))):
        x, y = rng.uniform(-0.05, ASPECT + 0.05), horizon + (1 - horizon) * float(near)
        if abs(x - landmark.x) < 0.22 + 0.5 * landmark.size and y > landmark.y - 0.12:
            x += -0.55 if x < landmark.x else 0.55
        tall = (0.2 + 0.75 * float(near)) * rng.uniform(0.6, 0.95)
        items.append(Item(x, y, tall, TREES[str(rng.choice(what.trees))](rng)))
    return items


def survey(index: int, seed: int) -> Place:
    """The place with this index: the same for ever, and unlike the others."""
    what, rng = site(index), np.random.default_rng([seed, index])
    horizon, x = float(rng.uniform(0.36, 0.52)), float(rng.uniform(0.42, 0.92))
    field = [(-0.1, horizon + rng.normal(0, 0.015)), (0.6, horizon + rng.normal(0, 0.02))]
    backdrop = [
        _ridge(rng, "ridge", horizon - 0.04, rng.uniform(0.08, 0.28), 0.93),
        _ridge(rng, "slope", horizon + 0.02, rng.uniform(0.03, 0.14), 0.82),
        _treeline(rng, horizon),
        _treeline(rng, horizon),
        polygon(what.ground, [*field, (1.45, horizon), (1.45, 1.1), (-0.1, 1.1)]),
        _path(rng, horizon, x + rng.uniform(-0.3, 0.3)),
    ]
    size, y = what.size * rng.uniform(0.95, 1.15), float(rng.uniform(0.72, 0.84))
    landmark = Item(x, y, size, what.draw(rng, what.material))
    items = [landmark, *_scatter(rng, what.ground, horizon), *_trees(rng, what, horizon, landmark)]

    shapes, standing = list(backdrop), []
    for item in sorted(items, key=lambda item: item.y):
        depth = float(np.interp(item.y, [horizon, 1], [0.7, 0.05]))
        placed = [shape.placed(item.x, item.y, item.size, depth) for shape in item.shapes]
        shapes += placed
        if item.size > 0.08:
            width = np.ptp(np.concatenate([shape.outline[:, 0] for shape in placed]))
            standing.append((item.x, item.y, float(width) / 2.4, item.size))
    return Place(what.name, (seed, index), what.ground, horizon, tuple(shapes), tuple(standing))
