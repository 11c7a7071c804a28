"""Declared background variables: what each type takes, what it says, what is derived."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.background import Declaration, load_declaration, undeclared
from schemas.codec import read_frame
from schemas.errors import BadInput, SetupError
from schemas.records import Record

NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)
BIG = 10**400

DECLARED = """
latitude: 50.85
longitude: 4.35
timezone: Europe/Brussels
variables:
  season: {type: nominal, values: [spring, summer, autumn, winter]}
  camera: {type: nominal}
  light: {type: binary, values: [day, night]}
  wet: {type: binary}
  age: {type: ordinal, values: [calf, yearling, adult]}
  temperature: {type: continuous, minimum: -60, maximum: 60}
  depth: {type: continuous}
  azimuth: {type: cyclic, period: 360}
"""


@pytest.fixture
def declaration(tmp_path: Path) -> Declaration:
    path = tmp_path / "variables.yaml"
    path.write_text(DECLARED, encoding="utf-8")
    return load_declaration(path)


def declare(**variable: Any) -> Declaration:
    """Return a declaration of one variable, x, at Brussels."""
    return Declaration.model_validate(
        {"latitude": 50.85, "longitude": 4.35, "variables": {"x": variable}}
    )


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("season", "winter", "winter"),
        ("camera", "cam-1", "cam-1"),
        ("camera", 7, "7"),
        ("light", "day", "day"),
        ("light", False, "day"),
        ("light", True, "night"),
        ("light", 1, "night"),
        ("light", 0.0, "day"),
        ("wet", True, "true"),
        ("wet", "false", "false"),
        ("wet", 0, "false"),
        ("age", "yearling", "yearling"),
        ("temperature", -60, -60.0),
        ("temperature", 60, 60.0),
        ("temperature", "12.5", 12.5),
        ("depth", -1e300, -1e300),
        ("azimuth", 0, 0.0),
        ("azimuth", 360, 0.0),
        ("azimuth", -90, 270.0),
        ("azimuth", 725.5, 5.5),
    ],
)
def test_a_value_is_kept_in_the_form_of_its_type(
    declaration: Declaration, name: str, sent: object, kept: object
) -> None:
    completed = declaration.complete({name: sent}, NOON)
    assert completed == {name: kept}
    assert type(completed[name]) is type(kept)


@pytest.mark.parametrize(
    ("name", "sent", "said"),
    [
        ("season", "monsoon", "season='monsoon': expected one of spring, summer, autumn, winter"),
        ("season", "Winter", "expected one of"),
        ("season", None, "expected one of"),
        ("season", True, "expected one of"),
        ("camera", 1.5, "expected one of names"),
        ("light", "dusk", "expected one of day, night"),
        ("light", 2, "expected one of day, night"),
        ("wet", 0.5, "expected one of false, true"),
        ("wet", ["true"], "expected one of false, true"),
        ("age", 1, "expected one of calf, yearling, adult"),
        ("temperature", 60.1, "expected a number from -60.0 to 60.0"),
        ("temperature", -1e9, "expected a number from -60.0 to 60.0"),
        ("temperature", "warm", "could not convert"),
        ("temperature", True, "expected a number"),
        ("temperature", None, "expected a number"),
        ("temperature", [1], "expected a number"),
        ("depth", float("nan"), "expected a finite number"),
        ("depth", "inf", "expected a finite number"),
        ("azimuth", float("-inf"), "expected a finite number"),
        ("azimuth", {}, "expected a number"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(
    declaration: Declaration, name: str, sent: object, said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        declaration.complete({name: sent}, NOON)
    assert caught.value.reason == "bad_variable"
    assert said in str(caught.value)


@pytest.mark.parametrize("sent", [None, ["cam-1"], {"name": "cam-1"}])
def test_a_name_is_text_or_a_number_and_nothing_else(
    declaration: Declaration, sent: object
) -> None:
    with pytest.raises(BadInput):
        declaration.complete({"camera": sent}, NOON)


@pytest.mark.parametrize("name", ["depth", "azimuth", "temperature"])
def test_a_number_beyond_floating_point_is_a_wrong_value(
    declaration: Declaration, name: str
) -> None:
    with pytest.raises(BadInput) as caught:
        declaration.complete({name: BIG}, NOON)
    assert caught.value.reason == "bad_variable"


def test_a_cyclic_value_never_reaches_its_period() -> None:
    """-1e-20 % 24 is 24.0 in floating point."""
    (value,) = declare(type="cyclic", period=24).complete({"x": -1e-20}, NOON).values()
    assert isinstance(value, float)
    assert 0 <= value < 24


def test_a_hostile_value_is_quoted_in_short(declaration: Declaration) -> None:
    nested: list[object] = []
    for _ in range(100_000):  # its whole repr would exhaust the stack
        nested = [nested]
    for value in (nested, "x" * 2**20, [1] * 2**20):
        with pytest.raises(BadInput) as caught:
            declaration.complete({"season": value}, NOON)
        assert len(str(caught.value)) < 200


def test_an_unknown_variable_is_named_with_the_known_ones(declaration: Declaration) -> None:
    with pytest.raises(BadInput) as caught:
        declaration.complete({"weather": "rain"}, NOON)
    assert caught.value.reason == "unknown_variable"
    assert "'weather' is not declared; known: season, camera, light" in str(caught.value)


def test_what_is_not_sent_and_not_derived_stays_away(declaration: Declaration) -> None:
    assert declaration.complete({}, NOON) == {}


def test_derived_variables_are_added_when_they_are_not_sent() -> None:
    declaration = Declaration.model_validate(
        {
            "latitude": 50.85,
            "longitude": 4.35,
            "timezone": "Europe/Brussels",
            "variables": {
                "hour": {"type": "cyclic", "period": 24, "derived": "hour"},
                "day": {"type": "cyclic", "period": 366, "derived": "day_of_year"},
                "sun": {"type": "continuous", "derived": "sun_elevation"},
            },
        }
    )
    background = declaration.complete({"hour": 3}, NOON)
    assert background["hour"] == 3.0
    assert background["day"] == pytest.approx(31 + 28 + 31 + 30 + 14 / 24)
    sun = background["sun"]
    assert isinstance(sun, float)
    # At 12:00 UTC the sun is 17 minutes past its highest: 90 - 50.85 + 15.1, the declination.
    assert sun == pytest.approx(54.1, abs=0.3)


@pytest.mark.parametrize(
    ("variable", "lowest", "highest"),
    [
        ({"type": "cyclic", "period": 12, "derived": "hour"}, 0, 12),
        ({"type": "cyclic", "period": 90, "derived": "sun_elevation"}, 0, 90),
    ],
)
def test_a_derived_value_obeys_its_declaration(
    variable: dict[str, Any], lowest: float, highest: float
) -> None:
    night = NOON + timedelta(hours=11)
    (value,) = declare(**variable).complete({}, night).values()
    assert isinstance(value, float)
    assert lowest <= value < highest


def test_a_derived_value_out_of_bounds_is_named() -> None:
    declaration = declare(type="continuous", minimum=0, maximum=90, derived="sun_elevation")
    with pytest.raises(
        BadInput, match=r"x=-23\.19.*expected a number from 0\.0 to 90\.0"
    ) as caught:
        declaration.complete({}, NOON + timedelta(hours=11))
    assert caught.value.reason == "bad_variable"


@pytest.mark.parametrize("kind", ["nominal", "binary"])
def test_only_a_number_can_be_derived(kind: str) -> None:
    with pytest.raises(ValidationError):
        declare(type=kind, derived="hour")


@pytest.mark.parametrize("derived", ["hour", "sun_elevation"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_at_the_edge_of_the_calendar_is_bad_input(derived: str, time: str) -> None:
    """Valid RFC 3339, but in UTC it would lie before year 1 or after 9999."""
    record = Record("frames", None, b"image", (("ce_time", time.encode()),))
    with pytest.raises(BadInput):
        declare(type="continuous", derived=derived).complete({}, read_frame(record).captured_at)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "valid dictionary"),
        ("variables: [season]", "valid dictionary"),
        ("variables: {season: {type: colour}}", "colour"),
        ("variables: {season: {values: [a, b]}}", "type"),
        ("variables: {season: {type: ordinal, values: [one]}}", "at least 2"),
        ("variables: {light: {type: binary, values: [a, b, c]}}", "at most 2"),
        ("variables: {hour: {type: cyclic}}", "period"),
        ("variables: {hour: {type: cyclic, period: 0}}", "greater than 0"),
        ("variables: {hour: {type: cyclic, period: .inf}}", "finite"),
        ("variables: {hour: {type: continuous, derived: minute}}", "sun_elevation"),
        ("variables: {t: {type: continuous, unit: K}}", "Extra inputs"),
        ("latitude: 91\nvariables: {}", "less than or equal to 90"),
        ("longitude: -181\nvariables: {}", "greater than or equal to -180"),
        ("timezone: Mars/Olympus\nvariables: {}", "unknown time zone 'Mars/Olympus'"),
        ("timezone: Europe\nvariables: {}", "unknown time zone 'Europe'"),
        ("timezone: ''\nvariables: {}", "unknown time zone ''"),
        ("latitude: 50\nvariables: {s: {type: continuous, derived: sun_elevation}}", "longitude"),
        ("longitude: 4\nvariables: {s: {type: continuous, derived: sun_elevation}}", "latitude"),
        ("colour: red\nvariables: {}", "Extra inputs"),
        ("variables: {", "expected the node content"),
        ("variables: {t: {type: continuous, minimum: 2, maximum: 1}}", "minimum"),
        ("variables: {t: {type: continuous, minimum: .nan}}", "minimum"),
        ("variables: {a: {type: ordinal, values: [calf, calf]}}", "values"),
    ],
)
def test_a_wrong_declaration_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "variables.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SetupError) as caught:
        load_declaration(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_declaration_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"variables\.yaml"):
        load_declaration(tmp_path / "variables.yaml")


def test_a_declaration_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "variables.yaml"
    path.write_bytes(b"variables: \xff\xfe")
    with pytest.raises(SetupError, match=r"variables\.yaml"):
        load_declaration(path)


def test_without_a_declaration_every_scalar_passes_as_it_is() -> None:
    sent = {"season": "winter", "stall": 3, "t": -1.5, "wet": False, "": ""}
    kept = undeclared(sent)
    assert kept == sent
    assert kept is not sent


@pytest.mark.parametrize(
    "value", [None, [], {}, [1], float("nan"), float("inf"), float("-inf"), b"x"]
)
def test_without_a_declaration_only_scalars_pass(value: object) -> None:
    with pytest.raises(BadInput, match="t=") as caught:
        undeclared({"season": "winter", "t": value})
    assert caught.value.reason == "bad_variable"


def test_a_time_beyond_all_years_in_the_place_s_zone_is_named() -> None:
    declaration = Declaration.model_validate(
        {
            "timezone": "America/New_York",
            "variables": {"hour": {"type": "cyclic", "period": 24, "derived": "hour"}},
        }
    )
    with pytest.raises(BadInput, match="hour cannot be derived from 0001-01-01T00:00:00") as caught:
        declaration.complete({}, datetime(1, 1, 1, tzinfo=UTC))
    assert caught.value.reason == "bad_variable"
