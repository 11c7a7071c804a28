"""The artefact on disk: read as it was written, or refused with what is wrong."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recognition.background import Background
from recognition.conditioning import Conditioning, Impostors
from schemas.errors import SetupError
from streams.conditioning.artefact import (
    ARRAYS,
    PAGE,
    ArtefactMissing,
    load_artefact,
)
from streams.conditioning.artefact_format import Page, assemble, take_apart
from tests.conditionings import AT, CALIBRATION, DAY, NIGHT, Change, conditioning, saved
from tests.gallery_entries import MODEL


@pytest.mark.parametrize("made", [conditioning(), conditioning(k=1), conditioning(bare=True)])
def test_it_places_as_before_it_was_saved(tmp_path: Path, made: Conditioning) -> None:
    saved(tmp_path, made, calibration=CALIBRATION, about={"gain": 0.1})
    found = load_artefact(tmp_path)
    assert (found.name, found.model, found.fpir, found.dimension) == ("light", MODEL, 0.05, 8)
    assert found.about == {"gain": 0.1}
    assert found.calibration is not None
    assert found.calibration.of(0.1, 0.2, 0.1) == CALIBRATION.of(0.1, 0.2, 0.1)
    probes = np.random.default_rng(5).normal(size=(20, 8)).astype(np.float32)
    backgrounds: list[Background] = [DAY, NIGHT, {}, {"light": "dusk"}] * 5
    before, after = made.place(probes, backgrounds), found.conditioning.place(probes, backgrounds)
    assert np.array_equal(before.vectors, after.vectors)
    assert np.array_equal(before.scales, after.scales)
    assert np.array_equal(before.clusters, after.clusters)
    old, new = (one.distances(one.impostors.placed, after) for one in (made, found.conditioning))
    assert np.array_equal(old, new)
    # Whose the impostors are is forgotten; which images are of one is not.
    same = made.impostors.identities[:, None] == made.impostors.identities
    owners = found.conditioning.impostors.identities
    assert np.array_equal(owners[:, None] == owners, same)
    assert not {*owners} & {*made.impostors.identities}


def test_its_page_can_be_read_by_people(tmp_path: Path) -> None:
    saved(tmp_path)
    page = json.loads((tmp_path / PAGE).read_text())
    assert [cluster["name"] for cluster in page["clusters"]] == ["c0", "c1"]
    assert {cluster["description"] for cluster in page["clusters"]} == {
        "day: 70 images",
        "night: 50 images",
    }
    assert page["encoder"]["variables"][0]["values"] == ["day", "night"]
    assert page["created_at"]


def test_a_file_uri_is_a_folder_too(tmp_path: Path) -> None:
    folder = tmp_path / "a folder é"
    version = saved(folder).version
    assert load_artefact(folder.as_uri()).version == version
    assert load_artefact(str(folder)).version == version


@pytest.mark.parametrize("uri", ["s3://bucket/c", "file://elsewhere/c", "https://host/c"])
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(SetupError, match="from a folder"):
        load_artefact(uri)


@pytest.mark.parametrize("name", [PAGE, ARRAYS])
def test_what_is_not_there_is_missing(tmp_path: Path, name: str) -> None:
    saved(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ArtefactMissing, match=name):
        load_artefact(tmp_path)


@pytest.mark.parametrize("name", [PAGE, ARRAYS])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.99])
def test_what_was_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    saved(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(SetupError, match=name.split(".")[0]):
        load_artefact(tmp_path)


def test_a_changed_bit_is_noticed_or_decides_nothing(tmp_path: Path) -> None:
    version = saved(tmp_path, conditioning(dimension=2, bare=True)).version
    whole = (tmp_path / ARRAYS).read_bytes()
    rng = np.random.default_rng(0)
    noticed = 0
    for at in rng.integers(len(whole), size=300):
        changed = bytearray(whole)
        changed[at] ^= 1 << int(rng.integers(8))
        (tmp_path / ARRAYS).write_bytes(changed)
        try:
            assert load_artefact(tmp_path).version == version  # a date in the archive, perhaps
        except SetupError:
            noticed += 1
    assert noticed > 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("fpir", 0.5), ("model", "other@1"), ("spread", 3.0), ("version", "000000000000")],
)
def test_a_page_that_was_changed_is_refused(tmp_path: Path, field: str, value: object) -> None:
    saved(tmp_path)
    page = json.loads((tmp_path / PAGE).read_text())
    (tmp_path / PAGE).write_text(json.dumps({**page, field: value}))
    with pytest.raises(SetupError, match="one of them was changed"):
        load_artefact(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"fpir": 2},
        {"format": 2},
        {"clusters": []},
        {"more": 1},
        {"encoder": 3},
        {"calibration": {}},
        {"calibration": {"weight": "one", "points": [[0, 0.5]]}},
        {"calibration": {"weight": 1, "points": [[0, 0.5], [1]]}},
    ],
)
def test_a_page_of_another_format_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    saved(tmp_path)
    page = json.loads((tmp_path / PAGE).read_text())
    (tmp_path / PAGE).write_text(json.dumps({**page, **changes}))
    with pytest.raises(SetupError, match=f"{PAGE}.*{next(iter(changes))}"):
        load_artefact(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", 7, "name: Input should be a valid string"),
        ("kind", "odd", "kind: Input should be 'nominal', 'binary'"),
        ("values", ["a", 1], "values.1: Input should be a valid string"),
        ("period", "a day", "period: Input should be a valid number"),
        ("scale", 0, ".*'light': 0.0 cannot be the scale"),
        ("weight", None, "weight: Input should be a valid number"),
        ("colour", 1, "colour: Unexpected"),
    ],
)
def test_a_wrong_field_of_a_variable_is_named(
    tmp_path: Path, field: str, value: object, message: str
) -> None:
    saved(tmp_path)
    page = json.loads((tmp_path / PAGE).read_text())
    page["encoder"]["variables"][0][field] = value
    (tmp_path / PAGE).write_text(json.dumps(page))
    with pytest.raises(SetupError, match=rf"encoder\.variables\.0.*{message}"):
        load_artefact(tmp_path)


def test_files_of_two_artefacts_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a")
    saved(tmp_path / "b", conditioning(seed=1))
    shutil.copy(tmp_path / "a" / ARRAYS, tmp_path / "b" / ARRAYS)
    with pytest.raises(SetupError, match="another artefact"):
        load_artefact(tmp_path / "b")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    saved(tmp_path)
    np.savez(tmp_path / ARRAYS, centres=np.array([print], dtype=object))
    with pytest.raises(SetupError, match=ARRAYS):
        load_artefact(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: replace(c, levels=np.ones((3, 3))), "levels"),
        (lambda c: replace(c, levels=-c.levels), "levels"),
        (lambda c: replace(c, levels=c.levels * np.nan), "levels: must be finite"),
        (lambda c: _impostor(c, vectors=2 * c.impostors.placed.vectors), "impostor_vectors"),
        (lambda c: _impostor(c, vectors=c.impostors.placed.vectors[:, 0]), "impostor_vectors"),
        (lambda c: _impostor(c, scales=-c.impostors.placed.scales), "impostor_scales"),
        (lambda c: _impostor(c, clusters=c.impostors.placed.clusters + 1), "impostor_clusters"),
        (lambda c: _impostor(c, clusters=c.impostors.placed.clusters[1:]), "impostor_clusters"),
        (
            lambda c: replace(c, impostors=Impostors(c.impostors.placed, np.array(["a"]))),
            "impostor_owners",
        ),
        (lambda c: replace(c, cohort=conditioning(dimension=5).cohort), "cohort"),
        (lambda c: replace(c, statistics=conditioning(dimension=5).statistics), "mean"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, change: Change, message: str
) -> None:
    with pytest.raises(SetupError, match=message):
        saved(tmp_path, change(conditioning()))


def _impostor(changed: Conditioning, **arrays: Any) -> Conditioning:
    placed = replace(changed.impostors.placed, **arrays)
    return replace(changed, impostors=Impostors(placed, changed.impostors.identities))


@pytest.mark.parametrize("changes", [{"fpir": 1.0}, {"name": ""}, {"about": {"x": object()}}])
def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(SetupError):
        saved(tmp_path, **changes)
    assert not (tmp_path / PAGE).exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="file"):
        saved(tmp_path / "file")


@pytest.mark.parametrize("change", [{"more": np.ones(1)}, {"mean": None}, {"levels": "wide"}])
def test_arrays_that_nobody_knows_or_misses_are_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    page, arrays = take_apart(conditioning())
    changed = {name: array for name, array in {**arrays, **change}.items() if array is not None}
    if "levels" in change:
        changed["levels"] = arrays["levels"].astype("<f4")
    with pytest.raises(ValueError, match=next(iter(change))):
        assemble(_page(page), changed)


def _page(parts: dict[str, Any]) -> Page:
    return Page(**parts, name="n", version="v", model="m", fpir=0.1, created_at=AT, about={})
