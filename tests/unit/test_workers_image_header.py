"""Headers are read without decoding; what is no decodable image gets a stable reason."""

import struct
import zlib

import pytest
from PIL import Image

from schemas.errors import BadInput
from tests.pictures import encode, oriented, quarters, save
from workers.images.image_header import Format, read_header

KINDS = [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}),
         ("WEBP", {"lossless": True}), ("WEBP", {"exif": Image.Exif().tobytes()})]  # fmt: skip


def reason(image: bytes) -> str:
    with pytest.raises(BadInput) as refusal:
        read_header(image)
    return refusal.value.reason


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_format_and_size(kind: str, options: dict[str, object]) -> None:
    header = read_header(encode(quarters(70, 50), kind, **options))
    assert header.format.upper() == kind
    assert (header.width, header.height, header.orientation) == (70, 50, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(kind: str, orientation: int) -> None:
    assert read_header(oriented(quarters(), orientation, kind)).orientation == orientation


def test_orientation_after_a_large_colour_profile() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = encode(quarters(), exif=exif, icc_profile=bytes(100_000))
    assert read_header(image).orientation == 6


def test_big_endian_exif() -> None:
    tiff = b"MM\0*" + struct.pack(">IHHHIHH", 8, 1, 0x0112, 3, 1, 8, 0)
    image = encode(quarters(), exif=b"Exif\0\0" + tiff)
    assert read_header(image).orientation == 8


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        b"II*\0" + struct.pack("<I", 2**31),
        b"II*\0" + struct.pack("<IH", 8, 65535),
        b"II*\0" + struct.pack("<IHHHIHH", 8, 1, 0x0112, 3, 1, 99, 0),
    ],
)
def test_damaged_exif_means_upright(exif: bytes) -> None:
    assert read_header(encode(quarters(), exif=b"Exif\0\0" + exif)).orientation == 1


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (b"", "empty_image"),
        (b"hello, this is text", "not_an_image"),
        (b"\0" * 100, "not_an_image"),
        (save(Image.fromarray(quarters()), "GIF"), "unsupported_format"),
        (save(Image.fromarray(quarters()), "BMP"), "unsupported_format"),
        (save(Image.fromarray(quarters()), "TIFF"), "unsupported_format"),
        (b"\0\0\0\x1cftypavif" + bytes(20), "unsupported_format"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), "not_an_image"),
    ],
)
def test_what_is_no_image(image: bytes, expected: str) -> None:
    assert reason(image) == expected


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind: str) -> None:
    frames = [Image.fromarray(quarters()), Image.fromarray(quarters()[::-1].copy())]
    image = save(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert reason(image) == "animated_image"


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("keep", [0.02, 0.1])
def test_cut_within_the_header(kind: str, options: dict[str, object], keep: float) -> None:
    image = encode(quarters(), kind, **options)
    short = image[: max(13, int(len(image) * keep))]
    assert reason(short) == "truncated_image"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("missing", [1, 4, 13, 100])
def test_containers_know_their_length(kind: str, missing: int) -> None:
    assert reason(encode(quarters(), kind)[:-missing]) == "truncated_image"


def test_a_jpeg_of_many_scans_is_refused() -> None:
    image = encode(quarters(), progressive=True)
    assert image.count(b"\xff\xda") < 20, "what encoders write is far from the limit"
    assert reason(image[:-2] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * 101) == "too_many_scans"


def test_a_png_of_endless_chunks_is_refused() -> None:
    chunk = struct.pack(">I", 0) + b"teXt" + struct.pack(">I", zlib.crc32(b"teXt"))
    image = encode(quarters(), "PNG")
    assert reason(image[:-12] + chunk * 2**16 + image[-12:]) == "corrupt_image"


def test_the_formats_are_named_in_the_refusal() -> None:
    with pytest.raises(BadInput, match=", ".join(Format)):
        read_header(b"GIF89a" + bytes(20))
