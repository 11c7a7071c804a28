"""Trees, one unit high, standing on the origin."""

from collections.abc import Callable
from typing import Final

import numpy as np

from lab.scenery.shapes import Shape, blob, limb, polygon

Rng = np.random.Generator


def _boughs(
    rng: Rng, bark: str, root: tuple[float, float], height: float, spread: float, forks: int = 3
) -> list[Shape]:
    """A trunk of the given height that forks ``forks`` times."""
    shapes: list[Shape] = []

    def grow(x: float, y: float, length: float, lean: float, width: float, left: int) -> None:
        tip = (x + length * np.sin(lean), y + length * np.cos(lean))
        shapes.append(limb(bark, (x, y), tip, width, width * 0.6, cap=0.008))
        if left:
            for side in (-1, 1, rng.uniform(-0.6, 0.6)):
                turn = lean + side * spread * rng.uniform(0.7, 1.2)
                grow(*tip, length * rng.uniform(0.55, 0.72), turn, width * 0.58, left - 1)

    grow(*root, height, rng.normal(0, 0.04), 0.14 * height, forks)
    return shapes


def _crown(
    rng: Rng, leaf: str, centre: tuple[float, float], radii: tuple[float, float], blobs: int
) -> list[Shape]:
    """Tufts of leaves filling an ellipse, the low ones darker."""
    angle = rng.uniform(0, 2 * np.pi, blobs)
    reach = np.sqrt(rng.uniform(0, 0.75, blobs))
    xs, ys = reach * np.cos(angle), reach * np.sin(angle)
    tufts = []
    for i in np.argsort(ys):
        at = (centre[0] + radii[0] * xs[i], centre[1] + radii[1] * ys[i])
        size = 0.38 * (1 - 0.25 * abs(ys[i])) * rng.uniform(0.8, 1.2)
        tone = 0.92 + 0.2 * ys[i] + rng.normal(0, 0.05)
        tufts.append(blob(rng, leaf, at, (radii[0] * size, radii[1] * size), tone, when="leaf"))
    return tufts


def _broadleaf(leaf: str, bark: str, width: float, trunk: float) -> Callable[[Rng], list[Shape]]:
    def draw(rng: Rng) -> list[Shape]:
        boughs = _boughs(rng, bark, (0, 0), trunk, spread=0.3 + width)
        middle = (trunk + 1) / 2
        return boughs + _crown(rng, leaf, (0, middle), (width, 1.08 - middle), 22)

    return draw


def _conifer(leaf: str, width: float, *, evergreen: bool) -> Callable[[Rng], list[Shape]]:
    def draw(rng: Rng) -> list[Shape]:
        shapes = [limb("bark", (0, 0), (0, 0.95), 0.05, 0.01)]
        tiers = int(rng.integers(5, 9))
        for i in range(tiers):
            low, high = 0.1 + 0.8 * i / tiers, 0.1 + 0.8 * (i + 1.75) / tiers
            half = width * (1 - i / (tiers + 0.6)) * rng.uniform(0.85, 1.15)
            sag = rng.uniform(0.01, 0.04)
            skirt = [(-half, low - sag), (-half / 2, low + sag), (0, low - sag / 2)]
            skirt += [(half / 2, low + sag), (half, low - sag), (0, min(high, 1.0))]
            tone = rng.uniform(0.85, 1.1)
            if evergreen:
                shapes.append(polygon(leaf, skirt, tone, cap=0.022))
            else:
                tip = rng.uniform(0, 0.05)
                shapes += [
                    limb("bark", (0, low), (s * half, low + tip), 0.015, 0.006) for s in (-1, 1)
                ]
                shapes.append(polygon(leaf, skirt, tone, when="leaf"))
        return shapes

    return draw


def pine(rng: Rng) -> list[Shape]:
    """A tall bent trunk under flat clouds of needles."""
    bend = rng.uniform(-0.12, 0.12)
    shapes = [
        limb("bark", (0, 0), (bend, 0.55), 0.07, 0.045, 1.3),
        limb("bark", (bend, 0.53), (bend / 2, 0.95), 0.045, 0.02, 1.3),
    ]
    for i in range(6):
        x, y = bend + rng.uniform(-0.22, 0.22), 0.58 + 0.065 * i + rng.uniform(0, 0.03)
        shapes.append(limb("bark", (bend, y - 0.08), (x, y), 0.02, 0.01, 1.3))
        radii = (rng.uniform(0.13, 0.24), rng.uniform(0.035, 0.06))
        shapes.append(blob(rng, "pine", (x, y), radii, rng.uniform(0.9, 1.1), cap=0.02))
    return shapes


def birch(rng: Rng) -> list[Shape]:
    """A slender white stem with dark marks."""
    lean = rng.uniform(-0.1, 0.1)
    shapes = _boughs(rng, "birchbark", (0, 0), 0.38, spread=0.35)
    shapes[0] = limb("birchbark", (0, 0), (lean, 0.8), 0.055, 0.02)
    for y in rng.uniform(0.03, 0.6, 7):
        x = lean * y / 0.8
        shapes.append(limb("dark", (x - 0.02, y), (x + rng.uniform(0, 0.02), y), 0.012, 0.006))
    return shapes + _crown(rng, "birch", (lean, 0.7), (0.24, 0.33), 22)


def snag(rng: Rng) -> list[Shape]:
    """A dead tree."""
    return _boughs(rng, "deadwood", (0, 0), 0.5, spread=0.5, forks=2)


TREES: Final[dict[str, Callable[[Rng], list[Shape]]]] = {
    "beech": _broadleaf("beech", "bark", width=0.42, trunk=0.34),
    "maple": _broadleaf("maple", "bark", width=0.34, trunk=0.38),
    "poplar": _broadleaf("poplar", "bark", width=0.14, trunk=0.22),
    "birch": birch,
    "fir": _conifer("fir", 0.25, evergreen=True),
    "larch": _conifer("larch", 0.2, evergreen=False),
    "pine": pine,
    "snag": snag,
}
"""Species -> a function that draws one, each a little different."""
