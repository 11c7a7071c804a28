"""What the gallery itself says of the FPIR: its entries as strangers, solvable by hand."""

import numpy as np
import pytest

from schemas.metrics import Metrics
from streams.conditioning.placement import Placement
from streams.gallery.gauges import GalleryGauges, believed_fpir
from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import GalleryState
from tests.gallery_entries import MODEL, entry
from tests.unit.conditioned import DAY, NIGHT, SIZE, active, artefact, sample

AXES = np.eye(SIZE, dtype=np.float32)


def laid(entries: list[tuple[str, str, np.ndarray, dict[str, str]]]) -> PlacedGallery:
    layout = PlacedGallery(Placement(artefact=artefact()), active(), 0.01)
    for entry_id, identity, vector, background in entries:
        layout.put(entry(entry_id, identity, vector, background=background))
    return layout


def state(**thresholds: float) -> GalleryState:
    of_probes = {"*" if name == "everywhere" else name: t for name, t in thresholds.items()}
    return GalleryState(epoch="e", position=0, models={}, thresholds={MODEL: of_probes})


TWINS = [
    ("oak-1", "oak", AXES[0], DAY),
    ("oak-2", "oak", AXES[1], DAY),
    ("elm-1", "elm", AXES[0], NIGHT),
    ("fir-1", "fir", AXES[2], NIGHT),
]


def test_entries_that_others_would_be_taken_for_count_by_identity() -> None:
    """One of oak's two looks and all of elm's are another's; none of fir's: (1/2 + 1 + 0)/3."""
    assert believed_fpir(laid(TWINS), state(everywhere=0.5)) == pytest.approx(0.5)


def test_each_cluster_has_its_threshold() -> None:
    """By night nothing lies within the threshold; fir, at distance 1, neither."""
    found = believed_fpir(laid(TWINS), state(everywhere=0.5, c0=0.5, c2=-1.0))
    assert found == pytest.approx(1 / 6)


def test_without_a_conditioning_strangers_or_thresholds_there_is_none() -> None:
    plain = PlacedGallery(Placement(), None, 0.01)
    assert believed_fpir(plain, state(everywhere=0.5)) is None
    assert believed_fpir(laid(TWINS[:2]), state(everywhere=0.5)) is None
    assert believed_fpir(laid(TWINS), state()) is None


def test_prometheus_hears_of_it_until_it_is_taken_back(metrics: Metrics) -> None:
    report = GalleryGauges(metrics)
    report.tell_belief(0.25)
    assert sample(metrics, "perennial_fpir_believed", evidence="gallery") == 0.25
    report.tell_belief(None)
    assert sample(metrics, "perennial_fpir_believed", evidence="gallery") is None
