"""What colour each material has in each look of the year."""

from typing import Final

LOOKS: Final = ("spring", "summer", "autumn", "bare", "snow")
LEAFLESS: Final = frozenset({"bare", "snow"})

# One column per look, in the order of LOOKS; a single colour is worn all the year.
_COLOURS: Final = """
    meadow      9dbb5c 7da04a b5a35c a39a72 eef2f7
    heath       a3a06a 8f8a5c 9c6f5e 8b7867 e6e9f0
    needles     8c7a52 7d7048 96683f 80684c e9ebef
    scree       a9a498 a8a294 a39a8c 9a948a e4e8ee
    sand        d4c094 d9c592 cdb184 bba888 eef0f2
    path        c4aa7c ccb284 b59770 a08a6c dde2ea
    water       6c9cb4 5a93b0 64889a 6d8794 b9c8d4
    foam        e4eef2 e4eef2 dde6ea d3dde2 eef4f8
    tuft        7fa648 6a8c3c b8964c a08a5a c9bf9f
    flower      f0d860 e87fa0 b06a48 94805c e8ebf0
    beech       a6cc58 568a3a d07c2c 8a6a48 8a6a48
    maple       b5c860 5f9440 c8402c 8a6a48 8a6a48
    birch       b9d86a 86ad4c ecc440 a08a5a a08a5a
    larch       a2c864 6f9e50 e0a838 a08a5a a08a5a
    poplar      a9c85c 6d983e d9b83c a08a5a a08a5a
    fir         3f6b48 356040 38583e 385444 476456
    pine        5c8452 4f7a48 557448 506a4c 607a64
    shrub       9cbf5a 648c40 b0603a 8a6c50 b4aaa4
    bark        66523f 66523f 66503c 625040 5c4e44
    birchbark   ece8de ece8de e8e2d4 e2ddd2 d8d6d2
    deadwood    a39684 a39684 9c8e7c 94887a 948c84
    granite     99999b 9c9b9a 96938f 8c8b8c a0a3a8
    sandstone   c49a6c c89c6a bc9064 a9865f b09880
    slate       5e666e 5e666e 5a6066 565c62 626a74
    moss        7e8f58 76884e 7c7c4c 70704c c8d0d0
    plank       96693f 986a3e 8d6139 825a38 82603f
    pale        c9ae82 c9ae82 bfa478 b2987a b29e80
    shingle     5c4a44 5c4a44 5a4640 544440 eaeef4
    tile        b4553c b4553c aa5038 9c4a38 eaeef4
    thatch      b79a5a b79a5a a98c52 9a8054 eceff3
    red         b23a2e
    blue        3f6fa8
    yellow      e0b43a
    green       3d7a5c
    brick       a8503c a8503c a04c3a 94483a 985044
    white       f1eee6 f1eee6 ece6da e4e0d6 d9d6d0
    dark        2b2724
    glass       ffe2a0 cfe0ea ffdc98 ffd890 ffd078
    metal       8d959c
    ridge       7c96a8 7593a4 8590a0 8894a4 dfe7f0
    slope       75946a 668a58 9c8656 8b8470 dbe3ea
    forest      4d7450 446a46 6f6c40 5a6350 8a9a9a
    cliff       a09484 a39682 9a8c7a 908678 a9a9ac
    snow        f3f6fa
"""


def _row(colours: list[str]) -> list[bytes]:
    if len(colours) == 1:
        colours = colours * len(LOOKS)
    return [bytes.fromhex(colour) for colour in colours]


PALETTE: Final = {
    material: _row(colours)
    for material, *colours in (line.split() for line in _COLOURS.strip().splitlines())
}
"""Material -> one sRGB triple a look."""
