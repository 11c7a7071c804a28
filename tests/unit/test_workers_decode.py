"""Whatever the encoding, the pixels come out the same: upright, RGB, 8 bits."""

import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from schemas.errors import BadInput
from schemas.event import Region
from tests.pictures import BLUE, GREEN, RED, WHITE, Pixels, encode, oriented, quarters, save
from workers.images.decode import Limits, crop, decode, fit

LIMITS = Limits(max_bytes=2**20, max_pixels=10**6)


def reason(work: Callable[[], object]) -> str:
    with pytest.raises(BadInput) as refusal:
        work()
    return refusal.value.reason


def close(image: Pixels, expected: Pixels, within: int = 6) -> bool:
    """Compare away from the edges between colours, where compression rings."""
    assert image.shape == expected.shape
    assert image.dtype == np.uint8
    height, width = image.shape[:2]
    spots = np.ix_([height // 6, height * 5 // 6], [width // 6, width * 5 // 6])
    return bool(np.abs(image[spots].astype(int) - expected[spots]).max() <= within)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"subsampling": 2}),
        ("PNG", {}),
        ("WEBP", {"quality": 95}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_formats(kind: str, options: dict[str, object]) -> None:
    assert close(decode(encode(quarters(), kind, **options), LIMITS), quarters())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_as_pillow_understands_it(kind: str, orientation: int) -> None:
    image = oriented(quarters(), orientation, kind)
    stored = Image.fromarray(quarters())
    stored.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(stored))
    assert close(decode(image, LIMITS), expected)
    assert decode(image, LIMITS).flags.c_contiguous


def test_modes_become_rgb() -> None:
    colour = Image.fromarray(quarters())
    grey = np.asarray(colour.convert("L").convert("RGB"))
    assert close(decode(save(colour.convert("L"), "JPEG"), LIMITS), grey)
    assert close(decode(save(colour.convert("L"), "PNG"), LIMITS), grey)
    assert close(decode(save(colour.convert("RGBA"), "PNG"), LIMITS), quarters())
    assert close(decode(save(colour.convert("RGBA"), "WEBP", quality=95), LIMITS), quarters())
    assert close(decode(save(colour.convert("P"), "PNG"), LIMITS), quarters(), within=40)
    assert close(decode(save(colour.convert("CMYK"), "JPEG"), LIMITS), quarters())


def test_sixteen_bits_keep_the_upper_eight() -> None:
    done, image = cv2.imencode(".png", quarters()[..., ::-1].astype(np.uint16) * 257)
    assert done
    assert close(decode(image.tobytes(), LIMITS), quarters(), within=1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(kind: str, keep: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    image = encode(noise, kind)
    short = image[: int(len(image) * keep)]
    assert reason(lambda: decode(short, LIMITS)) == "truncated_image"


def test_a_progressive_jpeg_cut_in_a_late_scan_is_refused() -> None:
    image = encode(quarters(), progressive=True)
    assert reason(lambda: decode(image[:-2], LIMITS)) == "truncated_image"


def test_damage_is_refused() -> None:
    png = bytearray(encode(quarters(), "PNG"))
    data = png.index(b"IDAT") + 4
    png[data : data + 8] = b"\xff" * 8
    assert reason(lambda: decode(bytes(png), LIMITS)) == "corrupt_image"
    webp = bytearray(encode(quarters(), "WEBP"))
    webp[23:26] = b"\0\0\0"
    assert reason(lambda: decode(bytes(webp), LIMITS)) == "corrupt_image"
    jpeg = encode(quarters()) + b"\0" * 10
    assert close(decode(jpeg, LIMITS), quarters()), "padding after the end is no damage"
    broken = encode(quarters()).replace(b"\xff\xc4", b"\xff\xc5", 1)
    assert reason(lambda: decode(broken, LIMITS)) == "corrupt_image"


def test_a_webcam_that_pads_its_scan_is_forgiven() -> None:
    image = encode(quarters())
    assert close(decode(image[:-2] + b"\x12" * 9 + image[-2:], LIMITS), quarters())


def test_limits_count_before_decoding() -> None:
    image = encode(quarters(100, 100))
    size = len(image)
    assert decode(image, Limits(size, 10_000)).shape == (100, 100, 3)
    assert reason(lambda: decode(image, Limits(size - 1, 10_000))) == "too_many_bytes"
    assert reason(lambda: decode(image, Limits(size, 9_999))) == "too_many_pixels"


def _png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _jpeg_header(width: int, height: int) -> bytes:
    image = bytearray(encode(quarters()))
    frame = image.index(b"\xff\xc0")
    image[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(image)


def _webp_header(width: int, height: int) -> bytes:
    body = b"WEBPVP8 " + struct.pack("<I", 10) + b"\x30\x01\0\x9d\x01\x2a"
    body += struct.pack("<HH", width, height)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    "bomb",
    [
        _png_header(50_000, 50_000),
        _png_header(2**31 - 1, 2**31 - 1),
        _png_header(0, 10),
        _jpeg_header(50_000, 50_000),
        _webp_header(16_383, 16_383),
    ],
)
def test_a_bomb_is_refused_by_its_header(bomb: bytes) -> None:
    assert len(bomb) < 10_000
    assert reason(lambda: decode(bomb, Limits(2**20, 50_000_000))) == "too_many_pixels"


def test_scaled_decoding_keeps_enough_pixels() -> None:
    image = encode(quarters(800, 600))
    assert decode(image, LIMITS).shape == (600, 800, 3)
    assert decode(image, LIMITS, at_least=224).shape == (225, 300, 3)
    assert decode(image, LIMITS, at_least=601).shape == (600, 800, 3)
    assert close(decode(image, LIMITS, at_least=224), quarters(300, 225))
    small = encode(quarters(100, 80))
    assert decode(small, LIMITS, at_least=224).shape == (80, 100, 3)


@pytest.mark.parametrize(
    ("box", "colour", "shape"),
    [
        ((0, 0, 32, 24), RED, (24, 32, 3)),
        ((32, 0, 32, 24), GREEN, (24, 32, 3)),
        ((0, 24, 32, 24), BLUE, (24, 32, 3)),
        ((31.6, 23.6, 32.4, 24.4), WHITE, (24, 32, 3)),
        ((-10, -10, 32, 32), RED, (22, 22, 3)),
        ((53, 38, 20, 20), WHITE, (10, 11, 3)),
        ((55, 38, 20, 20), None, None),
        ((50, 40, 20, 10), WHITE, (8, 14, 3)),
        ((0, 0, 1, 1), RED, (1, 1, 3)),
    ],
)
def test_crop(
    box: tuple[float, ...], colour: tuple[int, ...] | None, shape: tuple[int, ...] | None
) -> None:
    image = quarters()
    region = Region(x=box[0], y=box[1], width=box[2], height=box[3])
    if shape is None:
        assert reason(lambda: crop(image, region)) == "bad_region"
        return
    part = crop(image, region)
    assert part.shape == shape
    assert (part == colour).all()
    assert np.shares_memory(part, image)


@pytest.mark.parametrize(
    "box",
    [
        (64, 0, 5, 5),
        (0, 48, 5, 5),
        (-5, 0, 5, 5),
        (0, 0, 0, 5),
        (0, 0, 5, 0),
        (10, 10, -5, 5),
        (10, 10, -5, -5),
        (10, 10, 0.2, 0.2),
        (9000, 9000, 10, 10),
        (0, 0, 9000, 9000),
        (-1e308, -1e308, 1.7e308, 1.7e308),
        (1e308, 0, 1e308, 10),
    ],
)
def test_a_box_outside_the_image_is_refused(box: tuple[float, ...]) -> None:
    region = Region(x=box[0], y=box[1], width=box[2], height=box[3])
    assert reason(lambda: crop(quarters(), region)) == "bad_region"


@pytest.mark.parametrize("size", [(640, 480), (1000, 30), (50, 40), (224, 224), (1, 1)])
def test_fit(size: tuple[int, int]) -> None:
    image = quarters(*size)
    fitted = fit(image, (224, 224))
    assert fitted.shape == (224, 224, 3)
    assert fitted.dtype == np.uint8
    if min(size) > 1:
        assert close(fitted, quarters(224, 224))


def test_fit_does_not_alias() -> None:
    stripes = np.zeros((1344, 1344, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(fit(stripes, (224, 224))) <= 2, "fine stripes become grey, not coarse stripes"
