"""Landmarks: about one unit high, standing on the origin, of a material that tells two apart."""

from itertools import pairwise

import numpy as np

from lab.scenery.shapes import Rng, Shape, blob, box, limb, polygon


def cabin(
    rng: Rng, material: str, width: float = 1.25, wall: float = 0.44, legs: float = 0.0
) -> list[Shape]:
    """A boarded hut under a roof, which may stand on legs."""
    half, ridge = width * rng.uniform(0.4, 0.6), width * rng.uniform(0.02, 0.2)
    eaves, side = legs + wall * rng.uniform(0.85, 1.15), rng.choice([-1, 1])
    top, xs = eaves + rng.uniform(0.35, 0.55) * wall + 0.2, np.linspace(-half, half, 9)
    roof = [(-half * 1.2, eaves - 0.04), (half * 1.2, eaves - 0.04), (ridge, top), (-ridge, top)]
    boards = [
        box(
            material, float((a + b) / 2), legs, 1.02 * (b - a), eaves - legs, rng.uniform(0.86, 1.1)
        )
        for a, b in pairwise(xs)
    ]
    legged = [limb("plank", (s * half * 1.4, 0), (s * half, legs), 0.05, 0.04) for s in (-1, 1)]
    braces = [limb("plank", (-s * half, 0), (s * half, legs), 0.02, 0.02, 0.8) for s in (-1, 1)]
    pane = 0.3 * wall
    return [
        *(legged + braces if legs else []),
        box("granite", -0.5 * half * side, eaves, 0.11 * width, top - eaves, cap=0.04),
        *boards,
        polygon("shingle", roof, cap=0.05),
        box("plank", 0.5 * half * side, legs, 0.16 * width, 0.72 * wall, 0.8),
        box("white", -0.45 * half * side, legs + 0.35 * wall, 1.3 * pane, 1.3 * pane),
        box("glass", -0.45 * half * side, legs + 0.4 * wall, pane, pane),
    ]


def chapel(rng: Rng, material: str) -> list[Shape]:
    """A white nave, and a tower with a spire of the material at one end."""
    x, shoulder = 0.45 * rng.choice([-1, 1]), rng.uniform(0.5, 0.7)
    cap = [(x - 0.21, shoulder - 0.02), (x + 0.21, shoulder - 0.02), (x, rng.uniform(1.0, 1.2))]
    return [
        *cabin(rng, "white", 0.9, 0.38),
        box("white", x, 0, 0.34, shoulder, 0.94),
        polygon(material, cap, 0.85, cap=0.03),
        box("dark", x, shoulder - 0.2, 0.1, 0.14),
    ]


def tower(rng: Rng, material: str) -> list[Shape]:
    """A lookout: a cab on braced legs."""
    return cabin(rng, material, 0.5, 0.3, rng.uniform(0.4, 0.65))


def mill(rng: Rng, material: str) -> list[Shape]:
    """A tapering windmill with four sails."""
    shapes = [
        polygon(material, [(-0.24, 0), (0.24, 0), (0.14, 0.66), (-0.14, 0.66)]),
        polygon("shingle", [(-0.17, 0.65), (0.17, 0.65), (0.06, 0.82), (-0.06, 0.82)], cap=0.02),
        box("plank", 0, 0, 0.13, 0.2),
    ]
    for turn in rng.uniform(0.1, 1.5) + np.arange(4) * np.pi / 2:
        x, y = float(np.cos(turn)), float(np.sin(turn))
        shapes.append(
            limb("pale", (0.12 * x, 0.7 + 0.12 * y), (0.46 * x, 0.7 + 0.46 * y), 0.1, 0.1)
        )
        shapes.append(limb("dark", (0, 0.7), (0.46 * x, 0.7 + 0.46 * y), 0.03, 0.02))
    return shapes


def arch(rng: Rng, material: str) -> list[Shape]:
    """A ruined gateway of cut stone."""
    blocks = [(side * 0.42, y) for y in np.arange(6) * 0.1 for side in (-1, 1)]
    edges = np.linspace(0, np.pi, 10)
    ring = [
        [
            (r * np.cos(t), 0.58 + 0.8 * r * np.sin(t))
            for r, t in ((0.28, a), (0.54, a), (0.54, b), (0.28, b))
        ]
        for a, b in zip(edges + 0.02, edges[1:] - 0.02, strict=False)
    ]
    return [
        *[box(material, x, y, 0.3, 0.09, rng.uniform(0.82, 1.15), 0.03) for x, y in blocks],
        *[polygon(material, stone, rng.uniform(0.85, 1.15), 0.02) for stone in ring],
        *[box(material, x, 0, rng.uniform(0.2, 0.3), 0.12, cap=0.03) for x in (0.75, -0.85)],
    ]


def cairns(rng: Rng, material: str) -> list[Shape]:
    """Three heaps of flat stones."""
    shapes: list[Shape] = []
    for x in (-0.62, 0.0, 0.62):
        height = rng.uniform(0.5, 1.05)
        for level in np.arange(0, 1, 0.14):
            radii = (0.24 * (1.12 - level) * rng.uniform(0.85, 1.15), 0.085 * height)
            at = (x + rng.normal(0, 0.015), height * level + 0.05)
            shapes.append(blob(rng, material, at, radii, rng.uniform(0.8, 1.25), 0.03))
    return shapes


def boulder(rng: Rng, material: str) -> list[Shape]:
    """A great boulder, split from top to bottom."""
    left = [(-0.95, 0), (-1.0, 0.35), (-0.75, 0.78), (-0.4, 1.0), (-0.12, 0.9), (-0.16, 0.4)]
    right = [(0.06, 0), (0.02, 0.42), (0.1, 0.74), (0.42, 0.82), (0.78, 0.6), (0.95, 0.2), (0.9, 0)]
    moss = zip(rng.uniform(-0.8, -0.25, 9), rng.uniform(0.2, 0.75, 9), strict=True)
    return [
        polygon("dark", [(-0.3, 0), (-0.2, 0.75), (0.15, 0.7), (0.2, 0)], 1.2),
        polygon(material, [*left, (-0.06, 0)], 1.0, 0.05),
        polygon(material, right, 0.88, 0.05),
        *[blob(rng, "moss", at, (0.09, 0.04), rng.uniform(0.9, 1.2)) for at in moss],
    ]


def signpost(rng: Rng, material: str) -> list[Shape]:
    """A post with boards pointing both ways."""
    shapes = [box("plank", 0, 0, 0.085, 1.02, 0.8, 0.03)]
    for y, side, paint in ((0.8, 1, material), (0.62, -1, "white"), (0.44, 1, material)):
        end = side * rng.uniform(0.4, 0.58)
        tip = (end + side * 0.1, y + 0.065)
        board = [(side * -0.14, y), (end, y), tip, (end, y + 0.13), (side * -0.14, y + 0.13)]
        shapes.append(polygon(paint, board, cap=0.025))
    return shapes


def gate(rng: Rng, material: str) -> list[Shape]:
    """A five-barred gate, a rail fence on either side."""
    rails = [(s, y, y + rng.normal(0, 0.03)) for s in (-1, 1) for y in (0.3, 0.65)]
    return [
        *[box("bark", x, 0, 0.13, 1.0, 0.9, 0.04) for x in (-0.85, 0.85)],
        *[box(material, 0, y, 1.6, 0.07, cap=0.025) for y in (0.1, 0.27, 0.44, 0.61, 0.78)],
        limb(material, (-0.75, 0.12), (0.75, 0.82), 0.06, 0.06, 0.95),
        *[limb("plank", (s * 0.9, y), (s * 1.9, z), 0.07, 0.05, cap=0.03) for s, y, z in rails],
        *[box("plank", s * 1.5, 0, 0.09, 0.85, 0.85, 0.03) for s in (-1, 1)],
    ]


def falls(rng: Rng, material: str) -> list[Shape]:
    """A cliff with two white waterfalls and their pool."""
    top = [(x, 1.0 + rng.normal(0, 0.07)) for x in np.linspace(1.35, -1.35, 12).tolist()]
    ledges = zip(rng.uniform(-1.3, 1.3, 26), rng.uniform(0.1, 0.85, 26), strict=True)
    return [
        polygon(material, [(-1.6, 0), (1.6, 0), *top], cap=0.05),
        *[box(material, x, y, 0.26, 0.09, rng.uniform(0.65, 1.15), 0.02) for x, y in ledges],
        *[limb("foam", (x, 1), (x, 0), rng.uniform(0.1, 0.25), 0.25) for x in (-0.45, 0.35)],
        blob(rng, "water", (0, -0.02), (1.2, 0.14)),
    ]


def bridge(rng: Rng, material: str) -> list[Shape]:
    """A humped footbridge over a stream."""
    xs, rise = np.linspace(-1.1, 1.1, 9).tolist(), rng.uniform(0.15, 0.4)
    arc = [(x, 0.25 + rise * (1 - (x / 1.1) ** 2)) for x in xs]
    rail = [(x, y + 0.42) for x, y in arc]
    return [
        polygon("water", [(-0.5, 0.3), (0.4, 0.3), (0.9, -0.7), (-1.1, -0.7)]),
        polygon("plank", [*arc, *((x, y - 0.14) for x, y in reversed(arc))], 0.9, 0.05),
        *[limb(material, a, b, 0.06, 0.06, cap=0.03) for a, b in pairwise(rail)],
        *[limb(material, (x, y), (x, y + 0.45), 0.06, 0.06, 0.9) for x, y in arc[::2]],
    ]


def pond(rng: Rng, material: str) -> list[Shape]:
    """A pond with reeds, a jetty, and a painted boat."""
    jetty = [(0.55, -0.36), (0.9, -0.36), (0.5, 0.16), (0.3, 0.16)]
    boat = [(-0.75, 0.12), (-0.6, -0.02), (-0.1, -0.02), (0.1, 0.12)]
    reeds = [*rng.uniform(-1.75, -1.1, 14).tolist(), *rng.uniform(1.2, 1.75, 12).tolist()]
    return [
        blob(rng, "tuft", (0, 0.05), (1.75, 0.42), 0.8),
        blob(rng, "water", (0, 0.03), (1.68, 0.37)),
        polygon("pale", jetty, cap=0.02),
        *[limb("bark", (x, y), (x, y + 0.2), 0.05, 0.05) for x, y in jetty],
        polygon(material, boat, cap=0.02),
        *[limb("tuft", (x, 0), (x, rng.uniform(0.35, 0.75)), 0.03, 0.012) for x in reeds],
    ]
