"""Background and regions of a frame: counted and measured first, and only then read."""

from collections.abc import Mapping
from reprlib import repr as short
from typing import Annotated, Any

from pydantic import FailFast, TypeAdapter, ValidationError

from schemas.errors import BadInput
from schemas.event import Region
from schemas.json_text import is_text, read_json
from schemas.records import Record

_REGION_BYTES = 1024  # of a box in JSON, generously: it has about 100

_regions = TypeAdapter(Annotated[tuple[Region, ...], FailFast()])


def header_background(record: Record, most: int) -> Any:
    """Return what the header ``background`` of at most so many bytes says; None without one.

    Raises:
        BadInput: ``bad_background``, ``too_many_values``.
    """
    return _header(record, "background", most, "PERENNIAL_MAX_BACKGROUND_BYTES")


def header_regions(record: Record, most: int) -> Any:
    """Return what the header ``regions`` of at most so many boxes says; None without one.

    Raises:
        BadInput: ``bad_regions``, ``too_many_values``.
    """
    return _header(record, "regions", most * _REGION_BYTES, "for PERENNIAL_MAX_REGIONS boxes")


def read_background(background: Any, most: int) -> Mapping[str, Any]:
    """Return a background whose names and values have at most so many characters.

    Raises:
        BadInput: ``bad_background``.
    """
    if background is None:
        return {}
    if not isinstance(background, dict):
        raise BadInput("bad_background", f"background {short(background)}; expected a JSON object")
    texts = [part for item in background.items() for part in item if isinstance(part, str)]
    if not all(map(is_text, texts)):
        raise BadInput("bad_background", f"background {short(background)}; expected UTF-8 text")
    numbers = (str(value) for value in background.values() if isinstance(value, int | float))
    size = sum(map(len, texts)) + sum(map(len, numbers))
    _check_size("background", size, most, "PERENNIAL_MAX_BACKGROUND_BYTES")
    return background


def read_regions(regions: Any, most: int) -> tuple[Region, ...]:
    """Return at most so many boxes.

    Raises:
        BadInput: ``bad_regions``.
    """
    if regions is None:
        return ()
    if isinstance(regions, list) and len(regions) > most:
        limit = f"at most {most} a frame (PERENNIAL_MAX_REGIONS)"
        raise BadInput("bad_regions", f"{len(regions)} regions; {limit}")
    try:
        return _regions.validate_python(regions)
    except ValidationError as error:
        expected = '[{"x": .., "y": .., "width": .., "height": ..}]'
        raise BadInput("bad_regions", f"regions {short(regions)}; expected {expected}") from error


def _header(record: Record, name: str, most: int, setting: str) -> Any:
    value = record.header_bytes(name)
    if value is None:
        return None
    _check_size(name, len(value), most, setting)
    try:
        return read_json(value.decode("utf-8", errors="replace").encode())
    except ValueError as error:
        raise BadInput(f"bad_{name}", f"{name} is no valid JSON: {error}") from error


def _check_size(name: str, size: int, most: int, setting: str) -> None:
    if size > most:
        raise BadInput(f"bad_{name}", f"{name} of {size} bytes; at most {most} ({setting})")
