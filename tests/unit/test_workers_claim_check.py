"""The fetcher, against a real HTTP server on the loopback."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.errors import BadInput
from workers.images.allow_list import AllowedFile, AllowList
from workers.images.claim_check import Fetcher, StoreDown

IMAGE = b"image bytes" * 100


async def image(_: web.Request) -> web.Response:
    return web.Response(body=IMAGE)


async def huge(request: web.Request) -> web.StreamResponse:
    """Ever more bytes, without saying how many."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 4096)
    except ConnectionError:
        return response


async def silent(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def hop(request: web.Request) -> web.Response:
    left = int(request.match_info["left"])
    target = f"/open/hop/{left - 1}" if left else "/open/image"
    return web.Response(status=302, headers={"Location": target})


def leading_to(location: str) -> web.Response:
    return web.Response(status=302, headers={"Location": location})


async def elsewhere(request: web.Request) -> web.Response:
    return leading_to(request.query["to"])


async def status(request: web.Request) -> web.Response:
    return web.Response(status=int(request.match_info["status"]))


@asynccontextmanager
async def store() -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(
        [
            web.get("/open/image", image),
            web.get("/closed/image", image),
            web.get("/bucket/folder/key.jpg", image),
            web.get("/open/huge", huge),
            web.get("/open/silent", silent),
            web.get("/open/hop/{left}", hop),
            web.get("/open/elsewhere", elsewhere),
            web.get("/open/status/{status}", status),
        ]
    )
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def fetching(*allow: str, s3: str | None = None) -> AsyncIterator[Fetcher]:
    async with Fetcher(allow, max_bytes=10_000, timeout_s=1, s3_endpoint=s3) as fetcher:
        yield fetcher


async def reason(fetcher: Fetcher, uri: str) -> str:
    with pytest.raises(BadInput) as refusal:
        await fetcher.fetch(uri)
    return refusal.value.reason


async def test_http() -> None:
    async with store() as url, fetching(f"{url}/open/") as fetcher:
        assert await fetcher.fetch(f"{url}/open/image") == IMAGE
        assert await reason(fetcher, f"{url}/closed/image") == "image_uri_refused"
        assert await reason(fetcher, f"{url}/open/status/404") == "image_uri_missing"
        assert await reason(fetcher, f"{url}/open/status/403") == "image_uri_missing"
        assert fetcher.store_of(f"{url}/open/image").answered_at > 0


async def test_size_is_limited_whether_announced_or_not() -> None:
    async with store() as url, fetching(f"{url}/") as fetcher:
        assert await reason(fetcher, f"{url}/open/huge") == "too_many_bytes"
    async with store() as url, Fetcher((f"{url}/",), len(IMAGE) - 1, 1, None) as fetcher:
        assert await reason(fetcher, f"{url}/open/image") == "too_many_bytes"


async def test_redirects() -> None:
    async with store() as url, fetching(f"{url}/open/") as fetcher:
        assert await fetcher.fetch(f"{url}/open/hop/2") == IMAGE
        assert await reason(fetcher, f"{url}/open/hop/3") == "image_uri_refused"
        for target in (
            "/closed/image",
            "http://127.0.0.1:1/open/image",
            "file:///etc/passwd",
            "https://[::1/",
            "http://a b/",
            "",
        ):
            uri = f"{url}/open/elsewhere"
            assert await reason(fetcher, f"{uri}?to={target}") == "image_uri_refused", target


@pytest.mark.parametrize("path", ["status/500", "status/503", "status/429", "silent"])
async def test_a_store_that_is_down(path: str) -> None:
    async with store() as url, fetching(f"{url}/") as fetcher:
        with pytest.raises(StoreDown, match="image store"):
            await fetcher.fetch(f"{url}/open/{path}")
        assert fetcher.store_of(url + "/").quiet
        assert fetcher.store_of(url + "/").answered_at < 0


async def test_whether_a_store_answers_anybody_is_asked_once_for_all() -> None:
    asked = 0

    async def count(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{name:.*}", count)
    async with TestServer(app) as server, fetching(str(server.make_url("/a/"))) as fetcher:
        store = fetcher.store_of(str(server.make_url("/a/image")))
        since = asyncio.get_running_loop().time()
        found = await asyncio.gather(*(fetcher.answers(store, since) for _ in range(9)))
        assert (found, asked) == ([True] * 9, 1), "a refusal is an answer too"
        await server.close()
        assert not await fetcher.answers(store, asyncio.get_running_loop().time())


async def test_nobody_there() -> None:
    async with fetching("http://127.0.0.1:1/") as fetcher:
        with pytest.raises(StoreDown, match=r"http://127\.0\.0\.1:1: does not answer"):
            await fetcher.fetch("http://127.0.0.1:1/image")


async def test_s3_goes_to_its_endpoint() -> None:
    async with store() as url:
        async with fetching("s3://bucket/folder", s3=url) as fetcher:
            assert await fetcher.fetch("s3://bucket/folder/key.jpg") == IMAGE
            assert await reason(fetcher, "s3://bucket/folder/none.jpg") == "image_uri_missing"
            assert await reason(fetcher, "s3://closed/image") == "image_uri_refused"
        async with fetching("s3://bucket/") as fetcher:
            with pytest.raises(BadInput, match="PERENNIAL_S3_ENDPOINT"):
                await fetcher.fetch("s3://bucket/folder/key.jpg")


async def test_files(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(IMAGE)
    (tmp_path / "large.jpg").write_bytes(bytes(10_001))
    (tmp_path / "zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    async with fetching(f"file://{tmp_path}/") as fetcher:
        assert await fetcher.fetch(f"file://{tmp_path}/a.jpg") == IMAGE
        assert await reason(fetcher, f"file://{tmp_path}/large.jpg") == "too_many_bytes"
        assert await reason(fetcher, f"file://{tmp_path}/none.jpg") == "image_uri_missing"
        assert await reason(fetcher, f"file://{tmp_path}/pipe") == "image_uri_missing"
        assert await reason(fetcher, f"file://{tmp_path}") == "image_uri_missing"
        assert await reason(fetcher, f"file://{tmp_path}/zero") == "image_uri_refused"
        assert await reason(fetcher, "file:///etc/passwd") == "image_uri_refused"


@pytest.mark.parametrize("swapped", ["inside/a", "inside/a/b"])
async def test_a_folder_that_is_swapped_after_the_check_is_not_followed(
    swapped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "outside"
    for folder in (tmp_path / "inside" / "a" / "b", secret, secret / "b"):
        folder.mkdir(parents=True)
        (folder / "1.jpg").write_bytes(b"secret" if folder.is_relative_to(secret) else IMAGE)
    check = AllowList.check_file

    def check_then_swap(allowed: AllowList, uri: str) -> AllowedFile:
        checked = check(allowed, uri)
        (tmp_path / swapped).rename(tmp_path / "moved")
        (tmp_path / swapped).symlink_to(secret)
        return checked

    async with fetching(f"file://{tmp_path}/inside/") as fetcher:
        uri = f"file://{tmp_path}/inside/a/b/1.jpg"
        assert await fetcher.fetch(uri) == IMAGE
        monkeypatch.setattr(AllowList, "check_file", check_then_swap)
        with pytest.raises(BadInput) as caught:
            await fetcher.fetch(uri)
    assert caught.value.reason == "image_uri_missing"


async def test_a_prefix_may_be_one_file(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(IMAGE)
    async with fetching(f"file://{tmp_path}/1.jpg") as fetcher:
        assert await fetcher.fetch(f"file://{tmp_path}/1.jpg") == IMAGE
