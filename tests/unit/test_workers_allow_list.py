"""Only what lies below an allowed prefix may be fetched, however the URI is dressed up."""

from pathlib import Path

import pytest

from schemas.errors import BadInput
from workers.images.allow_list import AllowList

ALLOWED = AllowList.parse(
    ("https://images.example/cows/", "https://other.example:8443", "s3://herd/2025", "http://lan/")
)


@pytest.mark.parametrize(
    "uri",
    [
        "https://images.example/cows/1.jpg",
        "https://images.example/cows/a/b.jpg?X-Signature=a/../b",
        "https://images.example/cows/with%20space.jpg",
        "https://images.example/cows/v1..2.jpg",
        "HTTPS://IMAGES.EXAMPLE/cows/1.jpg",
        "https://images.example:443/cows/1.jpg",
        "https://other.example:8443/anything",
        "s3://herd/2025/1.jpg",
        "http://lan/1.jpg",
    ],
)
def test_allowed(uri: str) -> None:
    assert ALLOWED.check(uri).host


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "1.jpg",
        "//images.example/cows/1.jpg",
        "ftp://images.example/cows/1.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "http://images.example/cows/1.jpg",
        "https://images.example/cowshed/1.jpg",
        "https://images.example/",
        "https://images.example.evil.example/cows/1.jpg",
        "https://evil.example/cows/1.jpg",
        "https://images.example:8443/cows/1.jpg",
        "https://other.example/1.jpg",
        "https://images.example@evil.example/cows/1.jpg",
        "https://user:secret@images.example/cows/1.jpg",
        "https://images.example/cows/../secret",
        "https://images.example/cows/%2e%2e/secret",
        "https://images.example/cows/%252e%252e/secret",
        "https://images.example/cows/..%2fsecret",
        "https://images.example/cows/..",
        "https://images.example/cows/..\\secret",
        "https://images.example/cows%2f1.jpg",
        "https://images.example\\@evil.example/cows/1.jpg",
        "https://images.example:port/cows/1.jpg",
        "https://images.example/cows/\r\nHost: evil.example",
        "https://images.example/cows/%0d%0aX: y",
        "https:///cows/1.jpg",
        "https://[::1/cows",
        "s3://herd/2026/1.jpg",
        "s3://flock/2025/1.jpg",
        "file:///etc/passwd",
        "https://images.example/cows/" + "a" * 9000,
    ],
)
def test_refused(uri: str) -> None:
    with pytest.raises(BadInput, match="PERENNIAL_IMAGE_URI_ALLOW") as refusal:
        ALLOWED.check(uri)
    assert refusal.value.reason == "image_uri_refused"
    assert len(str(refusal.value)) < 1000


def test_nothing_is_allowed_by_default() -> None:
    with pytest.raises(BadInput):
        AllowList.parse(()).check("https://images.example/cows/1.jpg")


def test_files_stay_below_their_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data", tmp_path / "database"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a b.jpg").write_bytes(b"image")
    (inside / "there").symlink_to(inside / "a b.jpg")
    (inside / "away").symlink_to(outside / "a b.jpg")
    (inside / "folder").symlink_to(outside)
    allowed = AllowList.parse((f"file://{inside}/", "https://images.example/"))

    assert allowed.check_file(f"file://{inside}/a%20b.jpg").path == inside / "a b.jpg"
    assert allowed.check_file(f"file://localhost{inside}/there").path == inside / "a b.jpg"
    for uri in (
        f"file://{outside}/a%20b.jpg",
        f"file://{inside}/away",
        f"file://{inside}/folder/a%20b.jpg",
        f"file://{inside}/../database/a%20b.jpg",
        f"file://{inside}/%2e%2e/database/a%20b.jpg",
        f"file://evil.example{inside}/a%20b.jpg",
        f"file://{inside}/a\0b",
        f"file://{inside}/a%00b",
        "file:a",
    ):
        with pytest.raises(BadInput, match="PERENNIAL_IMAGE_URI_ALLOW"):
            allowed.check_file(uri)


def test_an_allowed_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    allowed = AllowList.parse((f"file://{tmp_path}/data",))
    assert allowed.check_file(f"file://{tmp_path}/data/1.jpg").path == tmp_path / "disk" / "1.jpg"


@pytest.mark.parametrize("prefix", ["/data", "ftp://host/", "https://", "https://u:p@host/"])
def test_a_prefix_that_says_nothing_is_refused(prefix: str) -> None:
    with pytest.raises(BadInput):
        AllowList.parse((prefix,))
