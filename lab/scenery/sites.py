"""The places of the trail by name: each has a near relative, so "a cabin" is not yet a place."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from lab.scenery import buildings, landmarks
from lab.scenery.shapes import Shape

Ground = Literal["meadow", "heath", "needles", "scree", "sand"]


@dataclass(frozen=True, slots=True)
class Site:
    """What a place is made of; where and how it stands comes from its seed."""

    name: str
    draw: Callable[[np.random.Generator, str], list[Shape]]
    material: str
    size: float
    trees: tuple[str, ...]
    ground: Ground


SITES: Final = (
    Site("red-cabin", buildings.cabin, "red", 0.36, ("fir", "birch"), "meadow"),
    Site("slate-cairns", landmarks.cairns, "slate", 0.34, ("fir",), "scree"),
    Site("mill-pond", landmarks.pond, "blue", 0.36, ("poplar",), "meadow"),
    Site("pilgrim-chapel", buildings.chapel, "tile", 0.38, ("larch",), "heath"),
    Site("split-boulder", landmarks.boulder, "granite", 0.34, ("pine",), "heath"),
    Site("old-signpost", landmarks.signpost, "yellow", 0.46, ("beech",), "heath"),
    Site("plank-bridge", landmarks.bridge, "pale", 0.38, ("fir", "maple"), "needles"),
    Site("fire-tower", buildings.tower, "red", 0.6, ("fir", "pine"), "scree"),
    Site("white-gate", landmarks.gate, "white", 0.27, ("maple", "poplar"), "meadow"),
    Site("twin-falls", landmarks.falls, "cliff", 0.38, ("larch", "fir"), "scree"),
    Site("ruined-arch", buildings.arch, "sandstone", 0.42, ("pine", "snag"), "sand"),
    Site("white-mill", buildings.mill, "white", 0.6, ("poplar", "birch"), "heath"),
    Site("hunters-hut", buildings.cabin, "pale", 0.33, ("beech", "maple"), "needles"),
    Site("sandstone-cairns", landmarks.cairns, "sandstone", 0.36, ("snag", "larch"), "heath"),
    Site("heron-pool", landmarks.pond, "red", 0.34, ("birch", "pine"), "needles"),
    Site("slate-chapel", buildings.chapel, "slate", 0.36, ("maple", "poplar"), "meadow"),
    Site("sunset-rock", landmarks.boulder, "sandstone", 0.32, ("birch", "snag"), "sand"),
    Site("crossroads", landmarks.signpost, "green", 0.44, ("fir", "larch"), "scree"),
    Site("painted-bridge", landmarks.bridge, "red", 0.36, ("birch", "beech"), "meadow"),
    Site("heron-watch", buildings.tower, "green", 0.58, ("poplar", "maple"), "meadow"),
    Site("wood-gate", landmarks.gate, "plank", 0.28, ("beech", "fir"), "needles"),
    Site("dark-falls", landmarks.falls, "slate", 0.4, ("beech", "birch"), "meadow"),
    Site("abbey-gate", buildings.arch, "granite", 0.4, ("beech", "poplar"), "meadow"),
    Site("brick-mill", buildings.mill, "brick", 0.58, ("pine", "larch"), "sand"),
)


def site(index: int) -> Site:
    """The site with this index; beyond the list the landmarks recur, numbered."""
    lap, number = divmod(index, len(SITES))
    known = SITES[number]
    return known if lap == 0 else replace(known, name=f"{known.name}-{lap + 1}")
