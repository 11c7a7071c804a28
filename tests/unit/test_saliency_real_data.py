"""Saliency on real images, where ``PERENNIAL_DATA`` says where they lie (about a minute)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lab.images.embed import embed
from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import splits_of
from recognition.distance import FloatArray
from recognition.fitted_variable import fit_variable
from recognition.protocol import Part
from recognition.saliency import Saliency, VariableRole, rank, saliency
from schemas.settings import load_settings

DATA = os.environ.get("PERENNIAL_DATA", "")  # now: a fixture of each test clears the settings

pytestmark = [
    pytest.mark.skipif(not DATA, reason="PERENNIAL_DATA names no folder of real images"),
    pytest.mark.usefixtures("one_thread"),
]


@dataclass(frozen=True)
class Images:
    """Those that a model may be chosen on, by the backbone as it comes."""

    rows: Sequence[ManifestRow]
    embeddings: FloatArray

    def look(self, name: str, values: Sequence[object]) -> Saliency:
        labels = [row.label or "" for row in self.rows]
        return saliency(self.embeddings, labels, fit_variable(name, values), values)

    def values(self, name: str) -> list[object]:
        return [row.background.get(name) for row in self.rows]


def images(name: str) -> Images:
    manifest = Path(DATA) / name / "manifest.csv"
    rows = read_manifest(manifest)
    split = splits_of(manifest, rows, None)[0]
    used = [rows[i] for i in np.union1d(split.train, split.images(Part.CALIBRATE))]
    return Images(used, embed(None, used, load_settings(), lambda _: None).vectors)


def test_light_matters_more_than_a_shuffled_copy_of_it() -> None:
    faces = images("yaleb")
    rng = np.random.default_rng(0)
    found = []
    for name in ("light_azimuth", "light_elevation", "light_angle", "light_subset"):
        values = faces.values(name)
        found.append(faces.look(name, values))
        found.append(
            faces.look(f"shuffled {name}", [values[i] for i in rng.permutation(len(values))])
        )
    ranked = rank(found)
    assert all(one.variable.startswith("light") for one in ranked[:4])
    assert {one.role for one in ranked[:4]} == {VariableRole.SHIFTS_AND_SPREADS}
    assert {one.role for one in ranked[4:]} == {VariableRole.NOISE}


def test_the_time_of_day_matters_more_than_the_number_of_the_frame() -> None:
    cows = images("holstein2025")
    found = [cows.look(name, cows.values(name)) for name in ("frame", "time_of_day")]
    assert [one.variable for one in rank(found)] == ["time_of_day", "frame"]
