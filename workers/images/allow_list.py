"""Which image URIs may be fetched: prefixes that the operator allows, compared on parsed URIs."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from yarl import URL

from schemas.errors import BadInput

_MAX_LENGTH = 8192
SCHEMES = ("file", "https", "http", "s3")
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# NONBLOCK: opening a pipe must not hang.
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class AllowedFile:
    """Where a file lies, every symbolic link resolved.

    Attributes:
        root: the allowed folder (or the file itself, where that is what is allowed).
        path: of the file.
    """

    root: Path
    path: Path

    def open(self) -> int:
        """Return a descriptor of the file, for reading.

        Each folder on the way is opened from the one before it, and none may be a link: what was
        resolved holds no links, so one that is there now was put there since.

        Raises:
            OSError: it cannot be opened so.
        """
        parts = self.path.relative_to(self.root).parts
        if not parts:
            return os.open(self.root, _FILE)
        here = os.open(self.root, _FOLDER)
        try:
            for part in parts[:-1]:
                there = os.open(part, _FOLDER, dir_fd=here)
                os.close(here)
                here = there
            return os.open(parts[-1], _FILE, dir_fd=here)
        finally:
            os.close(here)


def refused(why: str) -> BadInput:
    """Return the refusal, naming the setting that decides."""
    return BadInput("image_uri_refused", f"{why}; see PERENNIAL_IMAGE_URI_ALLOW")


@dataclass(frozen=True, slots=True)
class AllowList:
    """The prefixes, each standing for a folder: ``https://host/a`` allows ``/a/b``, not ``/ab``."""

    prefixes: tuple[URL, ...]

    @classmethod
    def parse(cls, prefixes: tuple[str, ...]) -> "AllowList":
        """Read the prefixes as they stand in the setting."""
        return cls(tuple(_parse(prefix) for prefix in prefixes))

    def check(self, uri: str) -> URL:
        """Return the parsed URI.

        Scheme, host and port must be those of an allowed prefix, and the path must lie below its
        path, with no ``..`` in it, however encoded. User names and passwords are refused.

        Raises:
            BadInput: ``image_uri_refused``.
        """
        url = _parse(uri)
        self.prefix_of(url)
        return url

    def prefix_of(self, url: URL) -> URL:
        """Return the prefix that allows a parsed URI.

        Raises:
            BadInput: ``image_uri_refused`` when none does.
        """
        for prefix in self.prefixes:
            if _below(url, prefix):
                return prefix
        raise refused(f"{str(url)!r} is below none of the allowed prefixes")

    def check_file(self, uri: str) -> AllowedFile:
        """Return the file behind a ``file://`` URI, with every symbolic link resolved.

        Raises:
            BadInput: ``image_uri_refused`` when it lies, or a link leads, outside.
        """
        path = Path(unquote(self.check(uri).raw_path)).resolve()
        roots = (Path(prefix.path).resolve() for prefix in self.prefixes if prefix.scheme == "file")
        for root in roots:
            if path.is_relative_to(root):
                return AllowedFile(root, path)
        raise refused(f"{uri!r} leads outside the allowed folders")


def _parse(uri: str) -> URL:
    if len(uri) > _MAX_LENGTH:
        raise refused(f"a URI of {len(uri)} characters; at most {_MAX_LENGTH}")
    try:
        url = URL(uri)
        port = url.port  # a port that is no number shows only when it is asked for
    except ValueError as error:
        raise refused(f"{uri!r} is no URI: {error}") from error
    if url.scheme not in SCHEMES:
        raise refused(f"{uri!r}: expected {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if url.user is not None or url.password is not None or port == 0:
        raise refused(f"{uri!r}: neither a user nor a password may stand in it")
    if url.scheme == "file" and url.host not in (None, "localhost"):
        raise refused(f"{uri!r} names a host; write file:///path")
    if url.scheme != "file" and not url.host:
        raise refused(f"{uri!r} names no host")
    if _climbs(uri):
        raise refused(f"{uri!r} has '..', a backslash or a control character in it")
    return url


def _climbs(uri: str) -> bool:
    """Tell whether a server could read the path as leading upwards; twice-encoded counts too."""
    text = unquote(unquote(uri.split("?")[0]))
    return re.search(r"/\.\.?(/|$)|[\x00-\x1f\x7f\\]", text) is not None


def _below(url: URL, prefix: URL) -> bool:
    if (url.scheme, url.port) != (prefix.scheme, prefix.port):
        return False
    if url.scheme != "file" and url.host != prefix.host:
        return False
    # The raw paths: an encoded slash is no folder.
    return (url.raw_path + "/").startswith(prefix.raw_path.rstrip("/") + "/")
