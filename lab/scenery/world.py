"""A year along a trail: rendered frames of places that stay, under conditions that change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

import numpy as np

from lab.scenery.camera import photograph
from lab.scenery.paint import Painting, paint
from lab.scenery.place import Place, survey
from lab.scenery.weather import Year

_CAMERAS: Final = 4
_OPENS: Final = (0.22, 0.36, 0.5, 0.62)  # when, in the year, the last few places are first seen


@dataclass(frozen=True, slots=True)
class WorldFrame:
    """One picture with what was known when it was taken, and the answer."""

    id: str
    image: bytes
    label: str
    captured_at: datetime
    source: str
    background: dict[str, str | float]


def _moments(rng: np.random.Generator, frames: int, start: datetime) -> list[datetime]:
    """Evenly over the year, at any hour but mostly by day, in order."""
    hours = np.where(
        rng.random(frames) < 0.8, rng.uniform(6, 20, frames), rng.uniform(0, 24, frames)
    )
    days = np.floor(np.arange(frames) * 365 / frames)
    seconds = np.sort(np.round((days * 24 + hours) * 3600))
    return [start + timedelta(seconds=float(second)) for second in seconds]


def _itinerary(rng: np.random.Generator, frames: int, places: int) -> list[int]:
    """Which place each frame shows: round after round of those open, each round shuffled."""
    late = min(len(_OPENS), places // 5)
    opens = [0.0] * (places - late) + list(_OPENS[:late])
    route: list[int] = []
    while len(route) < frames:
        known = [i for i, share in enumerate(opens) if len(route) >= share * frames]
        route += rng.permutation(known).tolist()
    return route[:frames]


def _scene(index: int, seed: int) -> tuple[Place, Painting]:
    place = survey(index, seed)
    return place, paint(place)


def render_year(
    frames: int = 1200, places: int = 24, seed: int = 7, year: int = 2025
) -> Iterator[WorldFrame]:
    """Frames in time order, from March of ``year`` to the next; the same for the same arguments.

    Raises:
        ValueError: ``frames`` or ``places`` is not positive.
    """
    if frames < 1 or places < 1:
        raise ValueError(f"frames and places must be at least 1, got {frames} and {places}")
    rng = np.random.default_rng(seed)
    start = datetime(year, 3, 1, tzinfo=UTC)
    scene = cache(lambda index: _scene(index, seed))
    weather = Year(start, seed)
    route = _itinerary(rng, frames, places)
    for number, (index, moment) in enumerate(zip(route, _moments(rng, frames, start), strict=True)):
        place, painting = scene(index)
        now = weather.at(moment)
        hand = np.random.default_rng([seed, 1, number])
        yield WorldFrame(
            id=f"trail-{number:06d}",
            image=photograph(place, painting, now, hand),
            label=place.name,
            captured_at=now.moment,
            source=f"cam-{int(rng.integers(_CAMERAS)) + 1}",
            background={
                "season": now.season,
                "hour": round(now.hour, 2),
                "light": "night" if now.night else "day",
                "weather": now.weather,
            },
        )
