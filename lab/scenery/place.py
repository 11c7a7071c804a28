"""A place along the trail: its own ridges, ground, path, trees and landmark, from its seed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lab.scenery import landmarks
from lab.scenery.shapes import Point, Rng, Shape, blob, limb, polygon
from lab.scenery.trees import TREES

ASPECT: Final = 4 / 3

# Name, landmark, its material and size, trees, ground. Each has a near relative, so "a cabin" is
# not yet a place.
_SITES: Final = """
    red-cabin         cabin     red        0.36  fir,birch     meadow
    slate-cairns      cairns    slate      0.34  fir           scree
    mill-pond         pond      blue       0.36  poplar        meadow
    pilgrim-chapel    chapel    tile       0.38  larch         heath
    split-boulder     boulder   granite    0.34  pine          heath
    old-signpost      signpost  yellow     0.46  beech         heath
    plank-bridge      bridge    pale       0.38  fir,maple     needles
    fire-tower        tower     red        0.6   fir,pine      scree
    white-gate        gate      white      0.27  maple,poplar  meadow
    twin-falls        falls     cliff      0.38  larch,fir     scree
    ruined-arch       arch      sandstone  0.42  pine,snag     sand
    white-mill        mill      white      0.6   poplar,birch  heath
    hunters-hut       cabin     pale       0.33  beech,maple   needles
    sandstone-cairns  cairns    sandstone  0.36  snag,larch    heath
    heron-pool        pond      red        0.34  birch,pine    needles
    slate-chapel      chapel    slate      0.36  maple,poplar  meadow
    sunset-rock       boulder   sandstone  0.32  birch,snag    sand
    crossroads        signpost  green      0.44  fir,larch     scree
    painted-bridge    bridge    red        0.36  birch,beech   meadow
    heron-watch       tower     green      0.58  poplar,maple  meadow
    wood-gate         gate      plank      0.28  beech,fir     needles
    dark-falls        falls     slate      0.4   beech,birch   meadow
    abbey-gate        arch      granite    0.4   beech,poplar  meadow
    brick-mill        mill      brick      0.58  pine,larch    sand
"""
SITES: Final = [line.split() for line in _SITES.strip().splitlines()]

# Stones, shrubs, tufts of grass, flowers: how many of each, by the ground.
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
    ground: str
    horizon: float
    shapes: tuple[Shape, ...]
    standing: tuple[tuple[float, float, float, float], ...]


def _below(material: str, crest: Iterable[Point], foot: float, tone: float, depth: float) -> Shape:
    """What lies between a crest, from left to right, and the height ``foot``."""
    top = list(crest)
    shape = polygon(material, [(top[0][0], foot), *top, (top[-1][0], foot)], tone)
    return replace(shape, depth=depth)


def _ridge(rng: Rng, material: str, level: float, relief: float, depth: float) -> Shape:
    """A skyline: octaves of noise over the whole width, down to the foot of the canvas."""
    x, y = np.linspace(-0.05, ASPECT + 0.05, 90), np.zeros(90)
    for octave in range(1, 6):
        wave = np.sin(x * octave * rng.uniform(2.2, 4.2) + rng.uniform(0, 2 * np.pi))
        y += (1 - np.abs(wave) * rng.uniform(0.5, 2)) / octave**1.2
    y = level - relief * (y - y.min()) / (np.ptp(y) + 1e-6)
    return _below(material, zip(x, y, strict=True), 1, rng.uniform(0.9, 1.1), depth)


def _treeline(rng: Rng, horizon: float) -> Shape:
    """A far wood, one jagged polygon along part of the horizon."""
    left, right = sorted(rng.uniform(-0.2, ASPECT + 0.2, 2).tolist())
    x = np.linspace(left, max(right, left + 0.5), 60)
    height = rng.uniform(0.02, 0.07) * np.sin(np.linspace(0, np.pi, 60)) ** 0.3
    y = horizon + 0.01 - height * rng.uniform(0.5, 1.0, 60) * (1 - 0.5 * (np.arange(60) % 2))
    crowns = zip(x, y, strict=True)
    return _below("forest", crowns, horizon + 0.03, rng.uniform(0.85, 1.1), 0.72)


def _path(rng: Rng, horizon: float, towards: float) -> Shape:
    """The trail, from the camera's feet to the skyline, winding."""
    t = np.linspace(0, 1, 30)
    start, swing = rng.uniform(0.2, ASPECT - 0.2), rng.uniform(-0.35, 0.35)
    middle = start + (towards - start) * t + swing * np.sin(np.pi * t * rng.uniform(1, 2))
    y = 1.02 - (1.02 - horizon) * t**0.75
    half = rng.uniform(0.07, 0.13) * (1 - t) ** 1.3 + 0.004
    x = np.concatenate([middle - half, (middle + half)[::-1]])
    return polygon("path", zip(x, np.concatenate([y, y[::-1]]), strict=True))


def _scatter(rng: Rng, ground: str, horizon: float) -> list[Item]:
    """Stones, shrubs, tufts and flowers, smaller toward the horizon."""
    stone = str(rng.choice(["granite", "sandstone", "slate"]))
    kinds: tuple[tuple[float, Callable[[], list[Shape]]], ...] = (
        (0.045, lambda: [blob(rng, stone, (0, 0.3), (0.8, 0.5), rng.uniform(0.8, 1.15), 0.2)]),
        (0.07, lambda: [blob(rng, "shrub", (x, 0.5), (0.5, 0.5), 1, 0.15) for x in (-0.4, 0.4)]),
        (0.05, lambda: [limb("tuft", (0, 0), (x, 1), 0.12, 0.02) for x in (-0.5, -0.1, 0.4)]),
        (0.012, lambda: [blob(rng, "flower", (0, 1.5), (0.6, 0.5))]),
    )
    items = []
    for count, (size, draw) in zip(_CLUTTER[ground], kinds, strict=True):
        for near in (rng.uniform(0.03, 1, count) ** 0.8).tolist():
            tall, y = size * (0.2 + near) * rng.uniform(0.6, 1.5), horizon + (1 - horizon) * near
            items.append(Item(rng.uniform(0, ASPECT), y, tall, draw()))
    return items


def _trees(rng: Rng, species: list[str], horizon: float, landmark: Item) -> list[Item]:
    """A wood of these species that leaves the landmark in view."""
    items = []
    for near in rng.uniform(0.05, 0.75, int(rng.integers(5, 14))).tolist():
        x, y = rng.uniform(-0.05, ASPECT + 0.05), horizon + (1 - horizon) * near
        if abs(x - landmark.x) < 0.22 + 0.5 * landmark.size and y > landmark.y - 0.12:
            x += -0.55 if x < landmark.x else 0.55
        tall = (0.2 + 0.75 * near) * rng.uniform(0.6, 0.95)
        items.append(Item(x, y, tall, TREES[str(rng.choice(species))](rng)))
    return items


def survey(index: int, seed: int) -> Place:
    """The place with this index: the same for ever; beyond the list the landmarks recur."""
    lap, number = divmod(index, len(SITES))
    name, landmark, material, height, species, ground = SITES[number]
    rng = np.random.default_rng([seed, index])
    horizon, x = float(rng.uniform(0.36, 0.52)), float(rng.uniform(0.42, 0.92))
    field = [(-0.1, horizon + rng.normal(0, 0.015)), (0.6, horizon + rng.normal(0, 0.02))]
    shapes = [
        _ridge(rng, "ridge", horizon - 0.04, rng.uniform(0.08, 0.28), 0.93),
        _ridge(rng, "slope", horizon + 0.02, rng.uniform(0.03, 0.14), 0.82),
        _treeline(rng, horizon),
        _treeline(rng, horizon),
        polygon(ground, [*field, (1.45, horizon), (1.45, 1.1), (-0.1, 1.1)]),
        _path(rng, horizon, x + rng.uniform(-0.3, 0.3)),
    ]
    size, y = float(height) * rng.uniform(0.95, 1.15), float(rng.uniform(0.72, 0.84))
    main = Item(x, y, size, getattr(landmarks, landmark)(rng, material))
    wood = _trees(rng, species.split(","), horizon, main)
    standing = []
    for item in sorted([main, *_scatter(rng, ground, horizon), *wood], key=lambda item: item.y):
        depth = float(np.interp(item.y, [horizon, 1], [0.7, 0.05]))
        placed = [shape.placed(item.x, item.y, item.size, depth) for shape in item.shapes]
        shapes += placed
        if item.size > 0.08:
            width = np.ptp(np.concatenate([shape.outline[:, 0] for shape in placed]))
            standing.append((item.x, item.y, float(width) / 2.4, item.size))
    name = f"{name}-{lap + 1}" if lap else name
    return Place(name, (seed, index), ground, horizon, tuple(shapes), tuple(standing))
