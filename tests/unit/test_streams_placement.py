"""Where embeddings lie, plainly and by a conditioning; and which artefact a state names."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recognition.cluster import UNCLUSTERED, cluster_name, cluster_number
from schemas.conditioning import ArtefactRef
from schemas.errors import DependencyDown, SetupError
from schemas.event import Background
from streams.conditioning.artefact import Artefact, load_artefact
from streams.conditioning.placed import joined
from streams.conditioning.placement import Placement, Placements
from streams.index.base import GalleryState, space_of
from tests.conditionings import DAY, NIGHT, conditioning, saved
from tests.gallery_entries import MODEL, unit

PLAIN = Placement(("light",))
FITTED = Placement(("light",), Artefact("light", "v1", MODEL, 0.05, conditioning(4)))
VECTORS = [unit(v) for v in np.random.default_rng(1).normal(size=(4, 4))]
BACKGROUNDS: Sequence[Background] = [{**DAY}, {**NIGHT}, {}, {"light": "dusk"}]


def test_plain_embeddings_lie_where_they_are() -> None:
    spots = PLAIN.place_all(MODEL, VECTORS, BACKGROUNDS)
    clusters = ["light=day", "light=night", UNCLUSTERED, "light=dusk"]
    assert [spot.cluster for spot in spots] == clusters
    assert all(spot.vector is vector for spot, vector in zip(spots, VECTORS, strict=True))
    assert {spot.scale for spot in spots} == {1.0}
    assert PLAIN.place(MODEL, VECTORS[0], BACKGROUNDS[0]).cluster == "light=day"
    assert (PLAIN.artefact, PLAIN.space(MODEL), PLAIN.dimension(MODEL)) == (None, MODEL, None)


def test_fitted_ones_lie_where_the_conditioning_places_them() -> None:
    spots = FITTED.place_all(MODEL, np.stack(VECTORS), BACKGROUNDS)
    assert [spot.cluster for spot in spots] == ["c0", "c1", UNCLUSTERED, UNCLUSTERED]
    placed = conditioning(4).place(np.stack(VECTORS), BACKGROUNDS)
    again = joined(spots)
    assert np.array_equal(again.vectors, placed.vectors)
    assert np.array_equal(again.scales, placed.scales)
    assert np.array_equal(again.clusters, placed.clusters)
    alone = FITTED.place(MODEL, VECTORS[1], BACKGROUNDS[1])
    assert alone.cluster == "c1"
    assert np.allclose(alone.vector, placed.vectors[1], atol=1e-6)
    assert (FITTED.space(MODEL), FITTED.dimension(MODEL)) == (f"{MODEL}+v1", 4)


def test_a_conditioning_leaves_other_models_plain() -> None:
    spot = FITTED.place("other@1", VECTORS[0], BACKGROUNDS[0])
    assert (spot.cluster, spot.scale) == ("light=day", 1)
    assert np.array_equal(spot.vector, VECTORS[0])
    assert (FITTED.space("other@1"), FITTED.dimension("other@1")) == ("other@1", None)


def test_vectors_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="size 4"):
        FITTED.place(MODEL, unit([1, 0, 0]), {})


@pytest.mark.parametrize("number", [-1, 0, 1, 12])
def test_a_cluster_is_known_by_its_name(number: int) -> None:
    assert cluster_number(cluster_name(number)) == number


def test_spaces_are_told_apart() -> None:
    assert (
        len({space_of("m", None), space_of("m", "v"), space_of("m", "w"), space_of("n", "v")}) == 4
    )


def state(active: ArtefactRef | None) -> GalleryState:
    return GalleryState(epoch="one", position=0, models={}, conditioning=active)


def active(artefact: Artefact, folder: Path) -> ArtefactRef:
    return artefact.at(folder.as_uri())


async def test_a_state_without_conditioning_is_plain() -> None:
    assert await Placements(("light",)).of(state(None)) == PLAIN


async def test_an_artefact_is_loaded_once_and_the_last_two_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str | Path] = []

    def load(uri: str | Path) -> Artefact:
        loads.append(uri)
        return load_artefact(uri)

    monkeypatch.setattr("streams.conditioning.placement.load_artefact", load)
    placements, named = Placements(("light",)), []
    for seed in range(3):
        artefact = saved(tmp_path / str(seed), conditioning(4, seed=seed))
        named.append(active(artefact, tmp_path / str(seed)))
    for at in (0, 1, 0, 0, 1, 2, 1, 0):
        placement = await placements.of(state(named[at]))
        assert placement.artefact is not None
        assert placement.artefact.version == named[at].version
    assert loads == [named[at].uri for at in (0, 1, 2, 0)]


async def test_an_artefact_that_cannot_be_read_is_a_dependency_that_is_down(tmp_path: Path) -> None:
    artefact = saved(tmp_path / "a", conditioning(4))
    wanted, placements = state(active(artefact, tmp_path / "a")), Placements(("light",))
    shutil.move(tmp_path / "a", tmp_path / "away")
    with pytest.raises(DependencyDown) as caught:
        await placements.of(wanted)
    assert caught.value.dependency == "conditioning"
    shutil.move(tmp_path / "away", tmp_path / "a")
    assert (await placements.of(wanted)).artefact is not None


async def test_another_artefact_at_its_place_is_not_taken_for_it(tmp_path: Path) -> None:
    first = saved(tmp_path, conditioning(4))
    second = saved(tmp_path, conditioning(4, seed=1))
    with pytest.raises(SetupError, match=f"holds version {second.version}.*not {first.version}"):
        await Placements(("light",)).under(active(first, tmp_path))
