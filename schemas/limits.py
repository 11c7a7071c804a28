"""How much of anything a record may ask for. Whoever may publish must not cost more than that."""

from dataclasses import dataclass

MAX_JSON_VALUES = 10_000
"""Values in the JSON of one record: each costs memory and time many times its own length."""

MAX_HEADERS = 1000
"""Headers of a record; a frame needs eight."""

MAX_DIMENSIONS = 16_384
"""Numbers of a vector. The widest embeddings in use have a quarter of that."""

MAX_CLUSTERS = 256
"""Clusters that values of the variables one shards by may make, unless a setting says otherwise."""


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """What one frame may ask for; the settings of these names decide (``PERENNIAL_MAX_…``).

    Attributes:
        regions: most boxes; each is cut out and passes through the model.
        background_bytes: most bytes of the background; each region's embedding carries a copy.
    """

    regions: int = 32
    background_bytes: int = 16 * 2**10


STANDARD = FrameLimits()
"""The limits where no setting says otherwise."""
