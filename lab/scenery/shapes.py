"""The vocabulary of the rendered world: coloured polygons, and four ways of making them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rng = np.random.Generator
Point = tuple[float, float]

GROUND = -1.0
"""The depth of a shape that lies on the ground: it has the ground's own depth, row by row."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A polygon of one material.

    ``outline`` is (n, 2) float32. Objects are drawn in their own frame (the base at the origin,
    x to the right, y *up*, about one unit high) and then ``placed`` on the canvas (x to the right,
    y *down*, one unit = the canvas's height). ``cap`` is the thickness, in the same unit, of the
    snow that lies on it in winter; ``leaf`` tells what falls in autumn.
    """

    outline: Floats
    material: str
    tone: float = 1.0
    cap: float = 0.0
    leaf: bool = False
    depth: float = GROUND

    def placed(self, x: float, y: float, size: float, depth: float) -> "Shape":
        """The same shape on the canvas, its base at (x, y), ``size`` canvas units a unit."""
        outline = self.outline * np.array([size, -size], np.float32) + np.array([x, y], np.float32)
        return replace(self, outline=outline, cap=self.cap * size, depth=depth)


def polygon(
    material: str,
    points: Iterable[Point],
    tone: float = 1.0,
    cap: float = 0.0,
    *,
    leaf: bool = False,
) -> Shape:
    """A polygon through the points."""
    return Shape(np.asarray(list(points), np.float32), material, tone, cap, leaf)


def box(
    material: str,
    x: float,
    y: float,
    width: float,
    height: float,
    tone: float = 1.0,
    cap: float = 0.0,
) -> Shape:
    """An upright rectangle whose lower edge is centred on (x, y)."""
    left, right = x - width / 2, x + width / 2
    corners = [(left, y), (right, y), (right, y + height), (left, y + height)]
    return polygon(material, corners, tone, cap)


def limb(
    material: str,
    start: Point,
    end: Point,
    thick: float,
    thin: float,
    tone: float = 1.0,
    cap: float = 0.0,
) -> Shape:
    """A tapering bar from ``start`` (width ``thick``) to ``end`` (width ``thin``)."""
    a, b = np.asarray(start), np.asarray(end)
    along = b - a
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6) / 2
    sides = [a - across * thick, a + across * thick, b + across * thin, b - across * thin]
    return Shape(np.stack(sides).astype(np.float32), material, tone, cap)


def blob(
    rng: Rng,
    material: str,
    centre: Point,
    radii: Point,
    tone: float = 1.0,
    cap: float = 0.0,
    *,
    leaf: bool = False,
) -> Shape:
    """An ellipse with an uneven edge: leaves, stones, puddles."""
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False) + rng.uniform(0, 1)
    radius = 1 + 0.1 * rng.standard_normal(14)
    edge = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Shape((edge * radii + centre).astype(np.float32), material, tone, cap, leaf)
