"""Landmarks of stone, water and wood: about one unit high, standing on the origin.

Each takes a material that tells one of its kind from another.
"""

from itertools import pairwise

import numpy as np

from lab.scenery.shapes import Shape, blob, box, limb, polygon

Rng = np.random.Generator


def cairns(rng: Rng, material: str) -> list[Shape]:
    """Three heaps of flat stones."""
    shapes: list[Shape] = []
    for x in (-0.62, 0.0, 0.62):
        height = rng.uniform(0.5, 1.05)
        for level in np.arange(0, 1, 0.14):
            radii = (0.24 * (1.12 - level) * rng.uniform(0.85, 1.15), 0.085 * height)
            at = (x + rng.normal(0, 0.015), height * level + 0.05)
            shapes.append(blob(rng, material, at, radii, rng.uniform(0.8, 1.25), 0.03, rough=0.08))
    return shapes


def boulder(rng: Rng, material: str) -> list[Shape]:
    """A great boulder, split from top to bottom."""
    left = [(-0.95, 0), (-1.0, 0.35), (-0.75, 0.78), (-0.4, 1.0), (-0.12, 0.9), (-0.16, 0.4)]
    right = [(0.06, 0), (0.02, 0.42), (0.1, 0.74), (0.42, 0.82), (0.78, 0.6), (0.95, 0.2), (0.9, 0)]
    moss = zip(rng.uniform(-0.8, -0.25, 9), rng.uniform(0.2, 0.75, 9), strict=True)
    cracks = [((-0.7, 0.2), (-0.3, 0.45)), ((0.3, 0.3), (0.65, 0.5)), ((-0.5, 0.7), (-0.25, 0.5))]
    return [
        polygon("dark", [(-0.3, 0), (-0.2, 0.75), (0.15, 0.7), (0.2, 0)], 1.2),
        polygon(material, [*left, (-0.06, 0)], 1.0, 0.05),
        polygon(material, right, 0.88, 0.05),
        polygon(material, [(-0.95, 0), (-1.0, 0.35), (-0.75, 0.78), (-0.6, 0.3)], 0.8),
        *[blob(rng, "moss", at, (0.09, 0.04), rng.uniform(0.9, 1.2)) for at in moss],
        *[limb("dark", *ends, 0.025, 0.01, 1.5) for ends in cracks],
    ]


def signpost(rng: Rng, material: str) -> list[Shape]:
    """A post with boards pointing both ways."""
    shapes = [blob(rng, "granite", (x, 0.03), (0.1, 0.06), cap=0.02) for x in (-0.1, 0.1, 0)]
    shapes.append(box("plank", 0, 0, 0.085, 1.02, 0.8, 0.03))
    for y, side, paint in ((0.8, 1, material), (0.62, -1, "white"), (0.44, 1, material)):
        end, back = side * rng.uniform(0.4, 0.58), side * -0.14
        tip, middle = end + side * 0.1, y + 0.065
        board = [(back, y), (end, y), (tip, middle), (end, y + 0.13), (back, y + 0.13)]
        shapes.append(polygon(paint, board, cap=0.025))
        shapes.append(limb("dark", (0, middle), (end * 0.85, middle), 0.025, 0.025))
    return shapes


def gate(rng: Rng, material: str) -> list[Shape]:
    """A five-barred gate, a rail fence on either side."""
    rails = [(side, y) for side in (-1, 1) for y in (0.3, 0.65)]
    return [
        *[box("bark", x, 0, 0.13, 1.0, 0.9, 0.04) for x in (-0.85, 0.85)],
        *[box(material, 0, y, 1.6, 0.07, cap=0.025) for y in (0.1, 0.27, 0.44, 0.61, 0.78)],
        *[box(material, x, 0.1, 0.07, 0.75, 0.92) for x in (-0.75, 0, 0.75)],
        limb(material, (-0.75, 0.12), (0.75, 0.82), 0.06, 0.06, 0.95),
        *[
            limb("plank", (s * 0.9, y), (s * 1.9, y + rng.normal(0, 0.03)), 0.07, 0.05, cap=0.03)
            for s, y in rails
        ],
        *[box("plank", s * 1.5, 0, 0.09, 0.85, 0.85, 0.03) for s in (-1, 1)],
    ]


def falls(rng: Rng, material: str) -> list[Shape]:
    """A cliff with two white waterfalls and their pool."""
    top = [(x, 1.0 + rng.normal(0, 0.07)) for x in np.linspace(1.35, -1.35, 12)]
    shapes = [polygon(material, [(-1.6, 0), (1.6, 0), *top], cap=0.05)]
    for x, y in zip(rng.uniform(-1.3, 1.3, 26), rng.uniform(0.1, 0.85, 26), strict=True):
        ledge = [(x - 0.14, y), (x + 0.14, y - 0.03), (x + 0.1, y + 0.08), (x - 0.1, y + 0.1)]
        shapes.append(polygon(material, ledge, rng.uniform(0.65, 1.15), cap=0.02))
    for x, wide in ((-0.45, rng.uniform(0.1, 0.25)), (0.35, rng.uniform(0.1, 0.25))):
        fall = [(x - wide / 2, 1.0), (x + wide / 2, 1.0), (x + wide, 0), (x - wide, 0)]
        shapes.append(polygon("foam", fall))
        threads = [((x + dx, 0.95), (x + 2 * dx, 0.08)) for dx in (-0.04, 0.04)]
        shapes += [limb("water", *thread, 0.02, 0.02, 1.2) for thread in threads]
    return [
        *shapes,
        blob(rng, "water", (0, -0.08), (1.3, 0.16), rough=0.05),
        blob(rng, "foam", (-0.4, -0.02), (0.3, 0.05)),
        blob(rng, "foam", (0.4, -0.02), (0.4, 0.06)),
    ]


def bridge(rng: Rng, material: str) -> list[Shape]:
    """A plank bridge over a stream, its railings painted."""
    stream = [(-0.5, -0.75), (0.75, -0.75), (0.4, 0.12), (0.25, 0.4), (-0.25, 0.4), (-0.35, 0.12)]
    rise = rng.uniform(0.1, 0.2)
    arc = [(float(x), 0.3 - rise * float(x) ** 2) for x in np.linspace(-1.2, 1.2, 13)]
    rail = [(x, y + 0.42) for x, y in arc]
    under = [(x, y - 0.14) for x, y in reversed(arc)]
    ripples = ((-0.2, -0.3), (0.1, -0.5), (-0.1, 0.0))
    return [
        polygon("water", stream),
        *[limb("foam", (x, y), (x + 0.25, y), 0.02, 0.01) for x, y in ripples],
        polygon("plank", [*arc, *under], 0.9, 0.05),
        *[limb("dark", (x, y), (x, y - 0.13), 0.015, 0.015) for x, y in arc[1:-1]],
        *[limb(material, a, b, 0.06, 0.06, cap=0.03) for a, b in pairwise(rail)],
        *[limb(material, (x, y), (x, y + 0.45), 0.06, 0.06, 0.9) for x, y in arc[::2]],
    ]


def pond(rng: Rng, material: str) -> list[Shape]:
    """A pond with reeds, a jetty, and a painted boat."""
    jetty = [(0.55, -0.36), (0.9, -0.36), (0.5, 0.16), (0.3, 0.16)]
    boat = [(-0.75, 0.12), (-0.6, -0.02), (-0.1, -0.02), (0.1, 0.12)]
    shapes = [
        blob(rng, "tuft", (0, 0.05), (1.75, 0.42), 0.8, rough=0.04, corners=24),
        blob(rng, "water", (0, 0.03), (1.68, 0.37), rough=0.03, corners=24),
        *[limb("foam", (x, y), (x + 0.4, y), 0.015, 0.01) for x, y in ((-0.7, 0.15), (0.1, -0.1))],
        polygon("pale", jetty, cap=0.02),
        *[limb("bark", (x, y), (x, y + 0.2), 0.05, 0.05) for x, y in jetty],
        polygon(material, boat, cap=0.02),
    ]
    for x in (*rng.uniform(-1.75, -1.1, 14), *rng.uniform(1.2, 1.75, 12)):
        tip = (x + rng.normal(0, 0.06), rng.uniform(0.35, 0.75))
        root = (x, rng.uniform(-0.1, 0.15))
        shapes.append(limb("tuft", root, tip, 0.03, 0.012, rng.uniform(0.8, 1.2)))
    return shapes
