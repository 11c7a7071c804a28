"""Images in memory, and what is known of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from schemas.errors import SetupError
from schemas.event import Scalar
from tests.image_set import patterns, write_image_set
from tests.unit.training_samples import samples
from workers.images.decode import Limits
from workers.model.photometric import grey
from workers.training.data import Samples, load_images

LIMITS = Limits(10**6, 10**6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_set(tmp_path_factory.mktemp("set"), 3, 2).parent


def paths(folder: Path) -> list[Path]:
    return [folder / f"{identity}-{shot}.png" for identity in range(3) for shot in range(2)]


def test_images_come_in_order(folder: Path) -> None:
    done: list[int] = []
    images = load_images(paths(folder), (16, 16), LIMITS, colour=True, on_done=done.append)
    expected = torch.from_numpy(patterns(3, 2, 16).reshape(6, 16, 16, 3)).permute(0, 3, 1, 2)
    assert images.dtype == torch.uint8
    torch.testing.assert_close(images, expected, rtol=0, atol=0)
    assert done == [1] * 6


def test_without_colour_there_is_the_luminance(folder: Path) -> None:
    colour = load_images(paths(folder), (16, 16), LIMITS, colour=True)
    single = load_images(paths(folder), (16, 16), LIMITS, colour=False)
    assert single.shape == (6, 1, 16, 16)
    torch.testing.assert_close(single, grey(colour).round().to(torch.uint8), rtol=0, atol=0)


def test_images_get_the_size_that_the_network_takes(folder: Path) -> None:
    assert load_images(paths(folder)[:1], (24, 8), LIMITS, colour=True).shape == (1, 3, 24, 8)


def test_a_file_that_is_no_image_is_named(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    with pytest.raises(SetupError, match=r"broken\.png: .*No such file"):
        load_images([*paths(folder), broken], (16, 16), LIMITS, colour=True)
    broken.write_bytes(b"no image")
    with pytest.raises(SetupError, match=r"broken\.png: "):
        load_images([*paths(folder), broken], (16, 16), LIMITS, colour=True)
    assert cv2.imwrite(str(broken), np.zeros((1001, 1001, 3), np.uint8))
    with pytest.raises(SetupError, match=r"broken\.png: .*pixels"):
        load_images([broken], (16, 16), LIMITS, colour=True)


def test_identities_are_numbered_by_name() -> None:
    some = Samples(torch.zeros(4, 1, 8, 8), ("b", "a", "b", "c"), ("",) * 4, ({},) * 4)
    assert some.classes == ["a", "b", "c"]
    assert some.numbers().tolist() == [1, 0, 1, 2]
    assert len(some) == 4


def test_groups_are_combinations_of_values() -> None:
    backgrounds: tuple[dict[str, Scalar], ...] = (
        {"s": "a", "n": 1},
        {"s": "a", "n": 2},
        {"s": "a", "n": 1.0},
        {"n": 1},
    )
    some = Samples(torch.zeros(4, 1, 8, 8), ("x",) * 4, ("",) * 4, backgrounds)
    assert some.groups(()) is None
    both = some.groups(("s", "n"))
    assert both is not None
    assert len(set(both.tolist())) == 3
    assert both[0] == both[2], "1 and 1.0 are one value"
    seasons = samples().groups(("season",))
    assert seasons is not None
    assert seasons.tolist() == [0, 1, 0, 1] * 6
