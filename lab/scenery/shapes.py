"""The vocabulary of the rendered world: coloured polygons, and four ways of making them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
When = Literal["always", "leaf"]

GROUND = -1.0
"""The depth of a shape that lies on the ground: it has the ground's own depth, row by row."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A polygon of one material.

    ``outline`` is (n, 2) float32. Objects are drawn in their own frame (the base at the origin,
    x to the right, y *up*, about one unit high) and then ``placed`` on the canvas (x to the right,
    y *down*, one unit = the canvas's height). ``cap`` is the thickness, in the same unit, of the
    snow that lies on it in winter; ``when`` is "leaf" for what falls in autumn.
    """

    outline: Floats
    material: str
    tone: float = 1.0
    cap: float = 0.0
    when: When = "always"
    depth: float = GROUND

    def placed(self, x: float, y: float, size: float, depth: float) -> "Shape":
        """The same shape on the canvas, its base at (x, y), ``size`` canvas units a unit."""
        outline = self.outline * np.array([size, -size], np.float32) + np.array([x, y], np.float32)
        return replace(self, outline=outline, cap=self.cap * size, depth=depth)


def polygon(
    material: str,
    points: Iterable[tuple[float, float]],
    tone: float = 1.0,
    cap: float = 0.0,
    when: When = "always",
) -> Shape:
    """A polygon through the points."""
    return Shape(np.asarray(list(points), np.float32), material, tone, cap, when)


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
    start: tuple[float, float],
    end: tuple[float, float],
    thick: float,
    thin: float,
    tone: float = 1.0,
    cap: float = 0.0,
) -> Shape:
    """A tapering bar from ``start`` (width ``thick``) to ``end`` (width ``thin``)."""
    a, b = np.asarray(start, np.float32), np.asarray(end, np.float32)
    along = b - a
    across = np.array([-along[1], along[0]], np.float32) / max(float(np.hypot(*along)), 1e-6) / 2
    outline = np.stack(
        [a - across * thick, a + across * thick, b + across * thin, b - across * thin]
    )
    return Shape(outline.astype(np.float32), material, tone, cap)


def blob(
    rng: np.random.Generator,
    material: str,
    centre: tuple[float, float],
    radii: tuple[float, float],
    tone: float = 1.0,
    cap: float = 0.0,
    when: When = "always",
    rough: float = 0.12,
    corners: int = 14,
) -> Shape:
    """An ellipse with an uneven edge: leaves, stones, puddles."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 1)
    radius = 1 + rough * rng.standard_normal(corners)
    x = centre[0] + radii[0] * radius * np.cos(angle)
    y = centre[1] + radii[1] * radius * np.sin(angle)
    return Shape(np.stack([x, y], axis=1).astype(np.float32), material, tone, cap, when)
