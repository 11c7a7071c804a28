"""Trees, one unit high, standing on the origin."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from lab.scenery.shapes import Point, Rng, Shape, blob, limb, polygon


def boughs(rng: Rng, bark: str, height: float, spread: float, forks: int) -> list[Shape]:
    """A trunk of the given height that forks ``forks`` times; bare, it is a dead tree."""
    shapes: list[Shape] = []

    def grow(x: float, y: float, length: float, lean: float, width: float, left: int) -> None:
        tip = (x + length * np.sin(lean), y + length * np.cos(lean))
        shapes.append(limb(bark, (x, y), tip, width, width * 0.6, cap=0.008))
        if left:
            for side in (-1, 1, rng.uniform(-0.6, 0.6)):
                turn = lean + side * spread * rng.uniform(0.7, 1.2)
                grow(*tip, length * rng.uniform(0.55, 0.72), turn, width * 0.58, left - 1)

    grow(0, 0, height, rng.normal(0, 0.04), 0.14 * height, forks)
    return shapes


def _crown(rng: Rng, leaf: str, centre: Point, radii: Point) -> list[Shape]:
    """Tufts of leaves filling an ellipse, the low ones darker."""
    angle, reach = rng.uniform(0, 2 * np.pi, 22), np.sqrt(rng.uniform(0, 0.75, 22))
    xs, ys = reach * np.cos(angle), np.sort(reach * np.sin(angle))
    tufts = []
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        size = 0.38 * (1 - 0.25 * abs(y)) * rng.uniform(0.8, 1.2)
        at = (centre[0] + radii[0] * x, centre[1] + radii[1] * y)
        tone = 0.92 + 0.2 * y + rng.normal(0, 0.05)
        tufts.append(blob(rng, leaf, at, (radii[0] * size, radii[1] * size), tone, leaf=True))
    return tufts


def broadleaf(rng: Rng, leaf: str, width: float, trunk: float, bark: str = "bark") -> list[Shape]:
    """A crown of so great a width on boughs that begin at the height ``trunk``."""
    middle = (trunk + 1) / 2
    crown = _crown(rng, leaf, (0, middle), (width, 1.08 - middle))
    return boughs(rng, bark, trunk, 0.3 + width, 3) + crown


def conifer(
    rng: Rng, needles: str, width: float, foot: float = 0.1, *, evergreen: bool = True
) -> list[Shape]:
    """Skirts of needles from the height ``foot`` on, over bare branches."""
    shapes = [limb("bark", (0, 0), (rng.normal(0, 0.03), 0.95), 0.06, 0.01)]
    tiers = int(rng.integers(5, 9))
    for low in np.linspace(foot, 0.9, tiers, endpoint=False).tolist():
        half = width * (1.02 - low) / (1 - foot) * rng.uniform(0.8, 1.2)
        sag, high = rng.uniform(0.01, 0.04), min(low + 1.75 * (0.9 - foot) / tiers, 1.0)
        skirt = [(-half, low - sag), (-half / 2, low + sag), (0, low - sag / 2)]
        skirt += [(half / 2, low + sag), (half, low - sag), (0, high)]
        if not evergreen:
            shapes += [limb("bark", (0, low), (s * half, low), 0.015, 0.006) for s in (-1, 1)]
        cap = 0.022 if evergreen else 0.0
        shapes.append(polygon(needles, skirt, rng.uniform(0.85, 1.1), cap, leaf=not evergreen))
    return shapes


TREES: Final[dict[str, Callable[[Rng], list[Shape]]]] = {
    "beech": partial(broadleaf, leaf="beech", width=0.42, trunk=0.34),
    "maple": partial(broadleaf, leaf="maple", width=0.34, trunk=0.38),
    "poplar": partial(broadleaf, leaf="poplar", width=0.14, trunk=0.22),
    "birch": partial(broadleaf, leaf="birch", width=0.24, trunk=0.42, bark="birchbark"),
    "fir": partial(conifer, needles="fir", width=0.25),
    "larch": partial(conifer, needles="larch", width=0.2, evergreen=False),
    "pine": partial(conifer, needles="pine", width=0.24, foot=0.55),
    "snag": partial(boughs, bark="deadwood", height=0.5, spread=0.5, forks=2),
}
"""Species -> a function that draws one, each a little different."""
