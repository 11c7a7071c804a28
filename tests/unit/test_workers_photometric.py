"""Grey and light, by hand and on a planted gradient of light."""

import math

import pytest
import torch
from torch import Tensor

from workers.model.photometric import Light, grey, relieve


def texture(height: int = 96, width: int = 64) -> Tensor:
    """Random blocks of 4 pixels, between 60 and 160."""
    generator = torch.Generator().manual_seed(0)
    blocks = 60 + 100 * torch.rand(2, 1, height // 4, width // 4, generator=generator)
    return blocks.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


def gain(height: int = 96, width: int = 64) -> Tensor:
    """From half to 1.5 times the light, across the image."""
    down = torch.linspace(0, 1, height).view(-1, 1)
    right = torch.linspace(0, 1, width).view(1, -1)
    return 0.5 * 3 ** ((down + right) / 2)


def test_grey_is_the_luminance() -> None:
    colour = torch.tensor([[10.0, 20, 30], [255, 255, 255]]).view(2, 3, 1, 1)
    assert grey(colour).flatten().tolist() == pytest.approx([18.15, 255])
    assert grey(colour.byte()).dtype == torch.float32


def test_grey_of_a_single_channel_is_that_channel() -> None:
    single = torch.arange(4, dtype=torch.uint8).view(1, 1, 2, 2)
    assert grey(single) is single


def test_the_light_may_stay() -> None:
    images = texture()
    assert relieve(images, Light.KEEP) is images


def test_each_image_is_standardised() -> None:
    images = torch.tensor([[0.0, 10, 0, 10], [100, 200, 100, 200]]).view(2, 1, 2, 2)
    first, second = relieve(images, Light.STANDARDISE).view(2, 4).tolist()
    # Deviations over n - 1: √(4 · 25 / 3) and ten times that; 5 grey levels are added.
    near = 5 / (math.sqrt(100 / 3) + 5)
    far = 50 / (math.sqrt(10_000 / 3) + 5)
    assert first == pytest.approx([-near, near, -near, near])
    assert second == pytest.approx([-far, far, -far, far])


def test_channels_are_standardised_together() -> None:
    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 255
    images[:, 1] += 50
    seen = relieve(images, Light.STANDARDISE)
    assert float(seen.mean()) == pytest.approx(0, abs=1e-5)
    assert float(seen[:, 1].mean()) > float(seen[:, 0].mean()) + 0.3


def changed_by(light: Light, images: Tensor, lit: Tensor) -> float:
    """Return how far an image moves when it is lit, in its own deviations."""
    before, after = relieve(images, light), relieve(lit, light)
    return float((after - before).square().mean().sqrt() / before.std())


def test_a_smooth_gain_cancels_locally() -> None:
    images = texture()
    lit = images * gain()
    assert lit.max() < 255
    assert changed_by(Light.LOCAL, images, lit) < 0.1
    assert changed_by(Light.STANDARDISE, images, lit) > 0.5


def test_local_contrast_is_bounded_and_not_flat() -> None:
    seen = relieve(texture(), Light.LOCAL)
    assert float(seen.abs().max()) <= 3
    assert float(seen.std()) > 0.3


@pytest.mark.parametrize("light", [Light.STANDARDISE, Light.LOCAL])
def test_faint_noise_is_not_stretched(light: Light) -> None:
    noise = torch.randn(1, 1, 96, 64, generator=torch.Generator().manual_seed(0)) / 2
    assert float(relieve(127 + noise, light).std()) < 0.15


@pytest.mark.parametrize("light", Light)
@pytest.mark.parametrize("level", [0.0, 127.0, 255.0])
@pytest.mark.parametrize("size", [(8, 8), (160, 96), (4096, 8)])
def test_a_flat_image_stays_flat(light: Light, level: float, size: tuple[int, int]) -> None:
    seen = relieve(torch.full((1, 3, *size), level), light)
    assert seen.shape == (1, 3, *size)
    expected = level if light is Light.KEEP else 0.0
    torch.testing.assert_close(seen, torch.full_like(seen, expected), atol=1e-3, rtol=0)


@pytest.mark.parametrize("light", Light)
def test_images_of_a_batch_do_not_touch(light: Light) -> None:
    images = torch.cat([texture(), torch.zeros(1, 1, 96, 64)])
    torch.testing.assert_close(relieve(images, light)[:1], relieve(images[:1], light))
