"""Background variables: whatever is sent becomes what was declared, or is refused."""

import math
import sys
from datetime import datetime
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from schemas.background import Declaration, undeclared
from schemas.errors import BadInput

LIGHT = ("day", "night")
AGES = ("calf", "yearling", "adult")
DECLARATION = Declaration.model_validate(
    {
        "latitude": 50.85,
        "longitude": 4.35,
        "timezone": "Europe/Brussels",
        "variables": {
            "camera": {"type": "nominal"},
            "light": {"type": "binary", "values": LIGHT},
            "age": {"type": "ordinal", "values": AGES},
            "temperature": {"type": "continuous", "minimum": -60, "maximum": 60},
            "azimuth": {"type": "cyclic", "period": 360},
            "hour": {"type": "cyclic", "period": 24, "derived": "hour"},
            "day": {"type": "cyclic", "period": 366, "derived": "day_of_year"},
            "sun": {
                "type": "continuous",
                "minimum": -90,
                "maximum": 90,
                "derived": "sun_elevation",
            },
        },
    }
)

scalars = (
    st.none() | st.booleans() | st.integers() | st.integers(-(10**400), 10**400) | st.floats()
    | st.text() | st.sampled_from([*LIGHT, *AGES, "12.5", "-0.0", 1, 0])
)  # fmt: skip
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(), scalars, max_size=2)
sent_values = st.dictionaries(st.sampled_from([*DECLARATION.variables]) | st.text(), anything)
instants = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.timezones(),
)


def number(value: object, lowest: float, highest: float) -> bool:
    return isinstance(value, float) and lowest <= value <= highest


def declared(background: dict[str, Any]) -> bool:
    """Say whether each value is what DECLARATION promises, by the words of the design."""
    checks = {
        "camera": lambda v: isinstance(v, str),
        "light": lambda v: v in LIGHT,
        "age": lambda v: v in AGES,
        "temperature": lambda v: number(v, -60, 60),
        "azimuth": lambda v: number(v, 0, math.nextafter(360, 0)),
        "hour": lambda v: number(v, 0, math.nextafter(24, 0)),
        "day": lambda v: number(v, 0, math.nextafter(366, 0)),
        "sun": lambda v: number(v, -90, 90),
    }
    return all(checks[name](value) for name, value in background.items())


@given(sent_values, instants)
def test_a_background_is_completed_or_refused(sent: dict[str, Any], at: datetime) -> None:
    try:
        background = DECLARATION.complete(sent, at)
    except BadInput as bad:
        event(bad.reason)
        return
    assert set(background) == {*sent, "hour", "day", "sun"}
    assert declared(background)


@given(sent_values, instants)
def test_a_completed_background_is_complete(sent: dict[str, Any], at: datetime) -> None:
    try:
        background = DECLARATION.complete(sent, at)
    except BadInput:
        return
    assert DECLARATION.complete(background, at) == background


LARGEST = sys.float_info.max


@given(st.dictionaries(st.text(), anything))
def test_without_a_declaration_finite_scalars_pass(sent: dict[str, Any]) -> None:
    plain = [v for v in sent.values() if isinstance(v, str | bool | int | float)]
    # An integer that no float holds is no number to the method.
    numbers = [v for v in plain if not isinstance(v, str)]
    fits = len(plain) == len(sent) and all(-LARGEST <= v <= LARGEST for v in numbers)
    try:
        background = undeclared(sent)
    except BadInput:
        assert not fits
    else:
        assert fits
        assert background == sent
