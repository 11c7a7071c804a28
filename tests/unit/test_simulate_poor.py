"""Poor images."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from lab.images.manifest import ManifestRow
from lab.simulate.frames import KEPT, degrade_image, degrade_images
from schemas.settings import load_settings

N = 200


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[ManifestRow]:
    folder = tmp_path_factory.mktemp("images")
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    assert cv2.imwrite(str(folder / "a.png"), noise)
    return [ManifestRow(f"{n}", folder / "a.png", "oak", None, None, {}) for n in range(N)]


def spoilt(rows: list[ManifestRow], share: float, folder: Path, seed: int = 0) -> dict[str, bytes]:
    folder.mkdir()
    made = degrade_images(rows, share, seed, folder, load_settings())
    assert [row.id for row in made] == [row.id for row in rows]
    assert all(row.path.parent == folder for row in made if row.path != rows[0].path)
    return {row.id: row.path.read_bytes() for row in made if row.path != rows[0].path}


def test_a_share_of_the_images_is_made_poor_and_more_of_the_same_with_a_larger_one(
    rows: list[ManifestRow], tmp_path: Path
) -> None:
    assert spoilt(rows, 0, tmp_path / "none") == {}
    some = spoilt(rows, 0.3, tmp_path / "some")
    assert 0.2 < len(some) / N < 0.4
    assert some == spoilt(rows, 0.3, tmp_path / "again")
    assert some.keys() != spoilt(rows, 0.3, tmp_path / "others", seed=1).keys()
    every = spoilt(rows, 1, tmp_path / "every")
    assert every.keys() == {row.id for row in rows}
    assert some.items() < every.items()


def test_half_are_cropped_off_their_centre_and_half_are_blurred() -> None:
    image = np.random.default_rng(1).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    made = [degrade_image(image, np.random.default_rng(seed)) for seed in range(N)]
    cropped = [one for one in made if one.shape != image.shape]
    assert 0.35 < len(cropped) / N < 0.65
    corners = {(0, 0): 0, (0, 1): 0, (1, 0): 0, (1, 1): 0}
    for one in cropped:
        height, width, _ = one.shape
        assert KEPT[0] <= round(height / 40, 3) <= KEPT[1]
        assert KEPT[0] <= round(width / 60, 3) <= KEPT[1]
        at = [
            corner
            for corner in corners
            if np.array_equal(
                one,
                image[
                    (40 - height) * corner[0] : (40 - height) * corner[0] + height,
                    (60 - width) * corner[1] : (60 - width) * corner[1] + width,
                ],
            )
        ]
        assert len(at) == 1, "a corner of the image"
        corners[at[0]] += 1
    assert min(corners.values()) > 5
    blurred = [one for one in made if one.shape == image.shape]
    assert all(one.std() < 0.8 * image.std() for one in blurred)
    assert all(abs(one.mean() - image.mean()) < 5 for one in blurred)


def test_what_cannot_be_read_stays_for_the_worker_to_refuse(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    rows = [
        ManifestRow(name, tmp_path / name, "oak", None, None, {})
        for name in ("broken.png", "missing.png")
    ]
    assert degrade_images(rows, 1.0, 0, tmp_path, load_settings()) == rows
