from pathlib import Path

import numpy as np
import pytest

from lab.evaluate import models
from lab.evaluate.models import Models
from lab.images.embed import PLAIN, EmbeddedImages
from lab.images.manifest import ManifestRow
from recognition.paper_distances import Distance
from recognition.protocol import Part
from schemas.choices import Views
from schemas.errors import SetupError
from schemas.settings import Settings, load_settings
from tests.unit.angles import split, trial

ROWS = [ManifestRow(f"{i}.jpg", Path(f"{i}.jpg"), "x", None, None, {}) for i in range(8)]
SPLITS = [
    split({Part.TEST: trial([0], [1, 2])}, train=[6, 7]),
    split({Part.TEST: trial([3], [4, 2])}, train=[6], number=1),
]
COSINE = [Distance.COSINE]


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What each folder embedded."""
    calls: list[tuple[str, list[str]]] = []

    def embed(
        folder: Path | None, rows: list[ManifestRow], settings: Settings, _: object
    ) -> EmbeddedImages:
        name = PLAIN if folder is None else folder.name
        calls.append((name, [row.id for row in rows]))
        vectors = np.array([[int(row.id[0]), len(name)] for row in rows], dtype=np.float32)
        image_ms = 2.0 if settings.views is Views.NONE else 4.0 * len(name)
        return EmbeddedImages(f"{name}@1{settings.views}", vectors, {"2.jpg": name}, image_ms)

    monkeypatch.setattr(models, "embed", embed)
    return calls


def folders(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir(parents=True)


def test_each_folder_embeds_what_its_splits_need_once(
    tmp_path: Path, embedded: list[tuple[str, list[str]]]
) -> None:
    folders(tmp_path, "herd-0", "herd-1")
    asked = Models([PLAIN, str(tmp_path / "herd-{split}")], COSINE, SPLITS)
    variants = asked.variants(ROWS, load_settings(), lambda _: None)
    assert [variant.name for variant in variants] == ["plain", "herd-{split}"]
    made = [[variant.embeddings(s) for s in SPLITS] for variant in variants]
    assert embedded == [
        ("plain", ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg"]),
        ("herd-0", ["0.jpg", "1.jpg", "2.jpg"]),
        ("herd-1", ["2.jpg", "3.jpg", "4.jpg"]),
    ]
    assert asked.images == 5 + 3 + 3
    assert made[1][1][[2, 3, 4]].tolist() == [[2, 6], [3, 6], [4, 6]]
    assert np.isnan(made[1][1][[0, 1, 5, 6, 7]]).all()
    assert {name: by.models for name, by in asked.embedders(ROWS).items()} == {
        "plain": {0: "plain@1none", 1: "plain@1none"},
        "herd-{split}": {0: "herd-0@1none", 1: "herd-1@1none"},
    }
    assert asked.refused == {"2.jpg": "herd-1"}


def test_a_distance_that_is_fitted_needs_the_train_part() -> None:
    assert Models([PLAIN], COSINE, SPLITS).images == 5
    assert Models([PLAIN], [Distance.COSINE, Distance.MAHALANOBIS], SPLITS).images == 7


def test_each_kind_of_views_is_embedded_anew(
    tmp_path: Path, embedded: list[tuple[str, list[str]]]
) -> None:
    folders(tmp_path, "herd-0", "herd-1")
    herd = str(tmp_path / "herd-{split}")
    asked = Models([PLAIN, herd], COSINE, SPLITS, [Views.NONE, Views.FLIP])
    variants = asked.variants(ROWS, load_settings(), lambda _: None)
    names = [v.name for v in variants]
    assert names == ["plain, none", "plain, flip", "herd-{split}, none", "herd-{split}, flip"]
    for variant in variants:
        for each in SPLITS:
            variant.embeddings(each)
    assert [name for name, _ in embedded] == ["plain"] * 2 + ["herd-0", "herd-1"] * 2
    assert asked.images == 2 * (5 + 3 + 3)
    embedders = asked.embedders(ROWS)
    assert embedders[names[3]].models == {0: "herd-0@1flip", 1: "herd-1@1flip"}
    assert [by.image_ms for by in embedders.values()] == [2, 20, 2, 24]


def test_names_tell_apart(tmp_path: Path) -> None:
    folders(tmp_path, "one/best", "two/best")
    paths = [str(tmp_path / name / "best") for name in ("one", "two")]

    def named(asked: list[str], distances: list[Distance]) -> list[str]:
        variants = Models(asked, distances, SPLITS).variants(ROWS, load_settings(), lambda _: None)
        return [variant.name for variant in variants]

    assert named(paths[:1], COSINE) == ["best"]
    assert named(paths, COSINE) == paths
    assert named([PLAIN], [Distance.COSINE, Distance.DOT]) == ["plain, cosine", "plain, dot"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    folders(tmp_path, "herd-0")
    with pytest.raises(SetupError, match=r"no model folder .*herd-1; --model takes"):
        Models([str(tmp_path / "herd-{split}")], COSINE, SPLITS)
