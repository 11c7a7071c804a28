"""Test-time views: which there are, and what their mean is."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from schemas.choices import Views
from workers.model.views import CROP, embed_views, number_of


class Network:
    """Embeds an image as its flattened pixels; keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.seen.append(images)
        return normalize(images.flatten(1), dim=1)

    @property
    def passes(self) -> list[int]:
        return [len(images) for images in self.seen]


def images(count: int = 3, height: int = 8, width: int = 16) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))


def views_of(image: Tensor, views: Views) -> Tensor:
    network = Network()
    embed_views(network, image[None], views)
    return torch.cat(network.seen)


def test_none_is_the_network_itself() -> None:
    def half(batch: Tensor) -> Tensor:
        return batch.flatten(1) / 2

    assert embed_views(half, images(), Views.NONE).equal(half(images()))


def test_flip_is_the_mean_of_an_image_and_its_mirror_image() -> None:
    embed = Network()
    expected = normalize(embed(images()) + embed(images().flip(3)), dim=1)
    found = embed_views(Network(), images(), Views.FLIP)
    torch.testing.assert_close(found, expected)


def test_the_mean_is_of_unit_vectors() -> None:
    """A view with a long embedding has one vote like the other: (1, 0) and 3·(0, 1)."""

    def network(batch: Tensor) -> Tensor:
        bright = batch[:, 0, 0, 0]
        return torch.stack([bright, 3 * (1 - bright)], dim=1)

    image = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    found = embed_views(network, image, Views.FLIP)
    torch.testing.assert_close(found, torch.full((1, 2), 0.5**0.5))


@pytest.mark.parametrize("views", Views)
def test_norm_shape_and_number(views: Views) -> None:
    network = Network()
    found = embed_views(network, images(), views)
    assert found.shape == (3, 3 * 8 * 16)
    assert found.norm(dim=1).tolist() == pytest.approx([1] * 3)
    assert sum(network.passes) == 3 * number_of(views)
    assert all(seen.shape[1:] == (3, 8, 16) for seen in network.seen)


def test_numbers_of_views() -> None:
    assert [number_of(views) for views in Views] == [1, 2, 10]


def test_all_views_of_a_plain_image_are_the_image() -> None:
    plain = torch.full((1, 3, 8, 8), 0.3)
    for views in Views:
        torch.testing.assert_close(embed_views(Network(), plain, views), Network()(plain))


def test_a_symmetric_image_is_its_own_mirror_image() -> None:
    symmetric = images() + images().flip(3)
    found = embed_views(Network(), symmetric, Views.FLIP)
    torch.testing.assert_close(found, Network()(symmetric))


@pytest.mark.parametrize("views", [Views.FLIP, Views.CROPS])
def test_an_image_and_its_mirror_image_have_the_same_embedding(views: Views) -> None:
    found = embed_views(Network(), images(), views)
    torch.testing.assert_close(found, embed_views(Network(), images().flip(3), views))


def test_crops_lie_at_the_centre_and_in_the_corners() -> None:
    """On a ramp each crop is a ramp again, of 7/8 the steepness, from where it lies."""
    assert CROP == 7 / 8
    down, right = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    crops = views_of(torch.stack([down, right, torch.zeros(16, 24)]), Views.CROPS)
    # The middle of a crop is the mean of its ramp: sides 14 and 21 of 16 and 24.
    middles = crops.mean(dim=(2, 3))[:, :2]
    places = [(7.5, 12), (6.5, 10), (6.5, 13), (8.5, 10), (8.5, 13)]
    # 24 - 21 = 3 pixels are left: the centre begins at 1.5, rounded to 2.
    torch.testing.assert_close(middles, torch.tensor(places * 2), atol=1e-4, rtol=0)
    inner = crops[:, 1, 8, 4:20].diff(dim=1)
    assert inner[:5].flatten().tolist() == pytest.approx([CROP] * 75, abs=1e-4)
    assert inner[5:].flatten().tolist() == pytest.approx([-CROP] * 75, abs=1e-4)


@pytest.mark.parametrize(
    ("count", "at_once", "passes"),
    [
        (3, 30, [30]),  # all views of few images in one pass
        (3, 7, [6, 6, 6, 6, 6]),
        (3, 3, [3] * 10),
        (5, 3, [3] * 10 + [2] * 10),  # many images in parts
        (1, 4, [4, 4, 2]),
    ],
)
def test_passes_are_bounded_and_change_nothing(count: int, at_once: int, passes: list[int]) -> None:
    network = Network()
    found = embed_views(network, images(count), Views.CROPS, at_once=at_once)
    assert network.passes == passes
    torch.testing.assert_close(found, embed_views(Network(), images(count), Views.CROPS))


@pytest.mark.parametrize("views", Views)
def test_no_images(views: Views) -> None:
    assert embed_views(Network(), images(0), views).shape == (0, 3 * 8 * 16)


@pytest.mark.parametrize("views", Views)
def test_one_pixel(views: Views) -> None:
    assert embed_views(Network(), images(2, 1, 1), views).shape == (2, 3)


def test_a_broken_image_stays_broken_and_harms_no_other() -> None:
    batch = images()
    batch[1, 0, 0, 0] = torch.nan
    found = embed_views(Network(), batch, Views.CROPS)
    assert found.isnan().any(dim=1).tolist() == [False, True, False]


def test_views_that_cancel_out_are_not_of_unit_norm() -> None:
    def sign(batch: Tensor) -> Tensor:
        return batch[:, :, 0, 0] - batch[:, :, 0, -1]

    assert not embed_views(sign, images(), Views.FLIP).any()


def test_half_precision_in_float32_out() -> None:
    found = embed_views(Network(), images().bfloat16(), Views.CROPS)
    assert found.dtype == torch.float32
    whole = embed_views(Network(), images(), Views.CROPS)
    torch.testing.assert_close(found, whole, atol=5e-3, rtol=0)
