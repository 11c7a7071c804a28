"""A gallery, where its entries lie without a conditioning, and under one by light."""

from tests.conditionings import DAY, NIGHT
from tests.gallery_entries import enrol
from tests.unit.streams_gallery.agent import AXES

ENTRIES = [
    enrol("oak-day", "oak", AXES[0], background=DAY),
    enrol("oak-night", "oak", AXES[0] + AXES[1], background=NIGHT),
    enrol("elm-day", "elm", AXES[2], background=DAY),
    enrol("fir-dark", "fir", AXES[3]),
]
PLAIN = {
    "oak-day": ("oak", "all"),
    "oak-night": ("oak", "all"),
    "elm-day": ("elm", "all"),
    "fir-dark": ("fir", "all"),
}
FITTED = {
    "oak-day": ("oak", "c0"),
    "oak-night": ("oak", "c1"),
    "elm-day": ("elm", "c0"),
    "fir-dark": ("fir", "unclustered"),
}
