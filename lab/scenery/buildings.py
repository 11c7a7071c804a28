"""Landmarks that people built to be in: about one unit high, standing on the origin.

Each takes a material that tells one of its kind from another.
"""

import numpy as np

from lab.scenery.shapes import Shape, box, limb, polygon

Rng = np.random.Generator
Point = tuple[float, float]


def _boards(rng: Rng, material: str, width: float, height: float, count: int) -> list[Shape]:
    """An upright-boarded wall."""
    xs = (np.arange(count) + 0.5) * width / count - width / 2
    wide = 1.02 * width / count
    return [box(material, float(x), 0, wide, height, rng.uniform(0.86, 1.1)) for x in xs]


def _window(x: float, y: float, size: float) -> list[Shape]:
    frame = box("white", x, y, size, size * 1.2)
    pane = box("glass", x, y + size * 0.12, size * 0.8, size)
    return [frame, pane, box("white", x, y, size * 0.12, size * 1.2)]


def cabin(rng: Rng, material: str) -> list[Shape]:
    """A gabled hut with a chimney, its boards painted."""
    width, wall, top = rng.uniform(0.9, 1.6), rng.uniform(0.36, 0.52), rng.uniform(0.8, 1.05)
    half, side, ridge = width / 2, rng.choice([-1, 1]), rng.uniform(0.04, 0.3)
    roof = [(-half * 1.2, wall - 0.04), (half * 1.2, wall - 0.04), (ridge, top), (-ridge, top)]
    return [
        box("granite", -0.5 * half * side, wall, 0.14, top + 0.08 - wall, cap=0.04),
        box("granite", 0, -0.03, width + 0.04, 0.09),
        *_boards(rng, material, width, wall, 11),
        polygon("shingle", roof, cap=0.05),
        box("white", 0.5 * half * side, 0, 0.24, 0.37),
        box("plank", 0.5 * half * side, 0, 0.18, 0.34, 0.8),
        *_window(-0.45 * half * side, 0.14, 0.2),
        *_window(0, wall + 0.1, 0.13),
    ]


def chapel(rng: Rng, material: str) -> list[Shape]:
    """A small white church under a roof of the material, with a pointed tower at one end."""
    spire, shoulder = rng.uniform(1.05, 1.25), rng.uniform(0.5, 0.7)
    side, length = rng.choice([-1, 1]), rng.uniform(0.6, 1.1)
    west, east = -0.34 * side, (length - 0.3) * side
    nave = [(west, 0.36), (east * 1.1, 0.36), (east * 0.98, 0.62), (west, 0.62)]
    cap = [(west - 0.21, shoulder - 0.02), (west + 0.21, shoulder - 0.02), (west, spire)]
    return [
        box("white", (west + east) / 2, 0, abs(east - west), 0.38),
        polygon(material, nave, cap=0.04),
        box("white", west, 0, 0.34, shoulder, 0.94),
        polygon(material, cap, 0.85, cap=0.03),
        limb("dark", (west, spire - 0.02), (west, spire + 0.12), 0.02, 0.02),
        limb("dark", (west - 0.05, spire + 0.06), (west + 0.05, spire + 0.06), 0.02, 0.02),
        box("dark", west, shoulder - 0.2, 0.1, 0.14),
        box("plank", west, 0, 0.15, 0.24, 0.7),
        *[box("slate", east * x, 0.12, 0.08, 0.17) for x in (0.0, 0.4, 0.8)],
    ]


def tower(rng: Rng, material: str) -> list[Shape]:
    """A lookout: a painted, glazed cab on braced legs."""
    foot, deck, cab = rng.uniform(0.26, 0.42), rng.uniform(0.4, 0.68), rng.uniform(0.4, 0.62)
    head, storeys = cab * 0.42, int(rng.integers(2, 5))
    shapes: list[Shape] = []
    for side in (-1, 1):
        back = (side * foot * 0.5, 0), (side * head * 0.5, deck)
        shapes.append(limb("plank", *back, 0.03, 0.03, 0.65))
        shapes.append(limb("plank", (side * foot, 0), (side * head, deck), 0.045, 0.035, 0.9))
    for low in np.linspace(0, deck, storeys + 1)[:-1].tolist():
        high = low + deck / storeys
        wide, slim = np.interp([low, high], [0, deck], [foot, head]).tolist()
        braces = [((side * wide, low), (-side * slim, high)) for side in (-1, 1)]
        shapes += [limb("plank", *brace, 0.02, 0.02, 0.8) for brace in braces]
        shapes.append(limb("plank", (-slim, high), (slim, high), 0.03, 0.03, cap=0.012))
    panes = np.linspace(-0.36, 0.36, 4) * cab
    roof = [(-cab * 0.72, 0.93), (cab * 0.72, 0.93), (0, rng.uniform(1.0, 1.15))]
    return [
        *shapes,
        box("plank", 0, deck, cab * 1.36, 0.05, cap=0.01),
        box(material, 0, deck + 0.04, cab, 0.9 - deck),
        *[box("glass", x, 0.79, cab * 0.2, 0.11) for x in panes.tolist()],
        polygon("shingle", roof, cap=0.03),
    ]


def mill(rng: Rng, material: str) -> list[Shape]:
    """A tapering windmill with four sails."""
    shapes = [
        polygon(material, [(-0.24, 0), (0.24, 0), (0.14, 0.66), (-0.14, 0.66)]),
        polygon("shingle", [(-0.17, 0.65), (0.17, 0.65), (0.06, 0.82), (-0.06, 0.82)], cap=0.02),
        box("plank", 0, 0, 0.13, 0.2),
        *_window(0, 0.38, 0.09),
    ]
    hub, first = np.array([0.0, 0.7]), rng.uniform(0.1, 1.5)
    for turn in first + np.arange(4) * np.pi / 2:
        along = np.array([np.cos(turn), np.sin(turn)])
        across = 0.09 * np.array([-along[1], along[0]])
        start, tip = hub + 0.12 * along, hub + 0.46 * along
        sail = np.stack([start, tip, tip + across, start + across])
        shapes.append(Shape(sail.astype(np.float32), "pale", cap=0.01))
        shapes.append(limb("dark", (0, 0.7), (float(tip[0]), float(tip[1])), 0.03, 0.02))
    return shapes


def arch(rng: Rng, material: str) -> list[Shape]:
    """A ruined gateway of cut stone."""
    shapes: list[Shape] = []
    for side in (-1, 1):
        for y in np.arange(6) * 0.1:
            width, tone = 0.3 + rng.uniform(-0.02, 0.03), rng.uniform(0.82, 1.15)
            shapes.append(box(material, side * 0.42, float(y), width, 0.09, tone, 0.03))
    edges = np.linspace(0, np.pi, 10)
    for a, b in zip(edges + 0.02, edges[1:] - 0.02, strict=False):
        corners = ((0.28, a), (0.54, a), (0.54, b), (0.28, b))
        ring = [(r * np.cos(t), 0.58 + 0.8 * r * np.sin(t)) for r, t in corners]
        shapes.append(polygon(material, ring, rng.uniform(0.85, 1.15), cap=0.02))
    for x, y in ((0.75, 0.0), (-0.85, 0.0), (-0.72, 0.1)):
        shapes.append(
            box(material, x, y, rng.uniform(0.2, 0.32), 0.12, rng.uniform(0.85, 1.1), 0.03)
        )
    return shapes
