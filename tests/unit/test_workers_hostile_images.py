"""Images made to cost: refused before they do, or decoded for what they are worth."""

import struct
import time
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from benchmarks.hostile import images
from schemas.errors import BadInput
from schemas.event import Region
from workers.images.compressed import ONE_PASS, Scans, scans_of
from workers.images.decode import MIN_REGIONS, Limits, decode, fit, prepare
from workers.images.image_header import Format, read_header

LIMITS = Limits(16 * 2**20, 50_000_000)
SIZE = (224, 224)
MAX_CPU_S = 2.0


def everything(side: int, count: int = 1) -> tuple[Region, ...]:
    return (Region(x=0, y=0, width=side, height=side),) * count


def prepared(image: bytes, regions: tuple[Region, ...] = ()) -> str:
    """Return the reason why an image is refused, or that it is not; it takes a moment."""
    began = time.process_time()
    try:
        prepare(image, regions, LIMITS, SIZE)
    except BadInput as error:
        return error.reason
    finally:
        assert time.process_time() - began < MAX_CPU_S
    return "decoded"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (images.texts, "decoded"),
        (images.profile, "decoded"),
        (images.endless, "corrupt_image"),
        (images.many_scans, "too_many_pixels"),
        (lambda: images.many_scans(90, images.SIDES["scans"]), "too_many_scans"),
        (lambda: images.many_scans(101, 64), "too_many_scans"),
        (lambda: images.many_scans(1, images.SIDES["scans"]), "decoded"),
        (lambda: images.flat(".png"), "too_many_pixels"),
        (lambda: images.flat(".webp"), "too_many_pixels"),
        (lambda: images.flat(".webp", cv2.IMWRITE_WEBP_QUALITY, 101, side=4000), "too_many_pixels"),
    ],
)
def test_what_an_image_unpacks_to_is_bounded(make: Callable[[], bytes], reason: str) -> None:
    assert prepared(make()) == reason


def test_regions_that_cover_a_large_image_again_and_again_are_refused() -> None:
    large = images.flat(".jpg")
    assert prepared(large, everything(images.SIDE)) == "decoded"
    assert prepared(large, everything(images.SIDE, 2)) == "too_many_pixels"
    assert prepared(images.photograph(1000), everything(1000, 32)) == "decoded"


def test_a_small_image_has_room_for_a_few_regions() -> None:
    assert prepared(images.photograph(), everything(240, MIN_REGIONS)) == "decoded"
    assert prepared(images.photograph(), everything(240, MIN_REGIONS + 1)) == "bad_regions"
    assert prepared(images.photograph(480), everything(480, 18)) == "decoded"
    assert prepared(images.photograph(480), everything(480, 19)) == "bad_regions"


def test_the_scans_of_a_jpeg_are_counted_without_those_of_its_thumbnail() -> None:
    plain, scanned = images.photograph(), images.many_scans(3, 64)
    assert scans_of(plain) == ONE_PASS
    assert scans_of(scanned) == Scans(scanned.count(b"\xff\xda"), held=True)
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(scanned) + 2) + scanned
    assert scans_of(plain[:2] + thumbnail + plain[2:]) == ONE_PASS
    assert scans_of(plain[:2] + b"\xff\xff\xff\x01" + plain[2:]) == ONE_PASS
    assert scans_of(plain[:2] + b"\x00" + plain[2:]) == ONE_PASS
    assert scans_of(plain[:2] + b"\xff\xd0" * 10_000 + plain[2:]) == ONE_PASS
    with pytest.raises(IndexError):
        scans_of(plain[:20])


def test_a_sequential_jpeg_in_several_scans_is_held_too() -> None:
    """Its first scan has fewer components than its frame."""
    plain = images.photograph()
    scan = plain.index(b"\xff\xda")
    assert scans_of(plain[: scan + 4] + b"\x01" + plain[scan + 5 :]).held


def test_a_webp_without_loss_or_with_alpha_is_known() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[..., 3] = np.arange(8) * 30
    lossless = cv2.imencode(".webp", pixels[..., :3], [cv2.IMWRITE_WEBP_QUALITY, 101])[1]
    alpha = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, 50])[1]
    lossy = cv2.imencode(".webp", pixels[..., :3], [cv2.IMWRITE_WEBP_QUALITY, 50])[1]
    held = [read_header(image.tobytes()).held for image in (lossless, alpha, lossy)]
    assert held == [10, 10, 6]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_resized_before_it_is_turned_is_what_would_have_been(orientation: int) -> None:
    turned = images.turned(images.photograph(), orientation)
    assert read_header(turned).orientation == orientation
    upright = decode(turned, LIMITS)
    box = Region(x=20, y=60, width=150, height=90)
    views = [upright[60:150, 20:170]]
    for regions, wanted in (((), [upright]), ((box,), views)):
        found = prepare(turned, regions, LIMITS, (96, 160))
        for pixels, view in zip(found, wanted, strict=True):
            assert pixels.shape == (96, 160, 3)
            assert pixels.flags.c_contiguous
            difference = np.abs(pixels.astype(int) - fit(np.ascontiguousarray(view), (96, 160)))
            assert difference.max() <= (2 if regions else 6), "a JPEG is decoded smaller"


def test_a_png_that_is_not_packed_at_all_is_decoded() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    options = [cv2.IMWRITE_PNG_COMPRESSION, 0]
    image = cv2.imencode(".png", noise, options)[1].tobytes()
    assert read_header(image).format is Format.PNG
    assert np.array_equal(decode(image, LIMITS), noise[..., ::-1])


def test_a_png_with_a_broken_stream_is_left_to_the_decoder() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    image = bytearray(cv2.imencode(".png", noise)[1].tobytes())
    data = image.index(b"IDAT") + 4
    image[data : data + 2] = b"\0\0"
    length = struct.unpack_from(">I", image, data - 8)[0]
    struct.pack_into(">I", image, data + length, zlib.crc32(image[data - 4 : data + length]))
    assert prepared(bytes(image)) == "corrupt_image"
