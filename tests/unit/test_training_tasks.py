"""What the command line says of auxiliary heads."""

import pytest

from schemas.errors import SetupError
from schemas.variables import Binary, Continuous, Cyclic, Nominal, Ordinal
from schemas.variables import Variable as Kind
from workers.training.tasks import Aim, Task, kinds_of, parse_task

HOUR = Cyclic(type="cyclic", period=24)
AGE = Ordinal(type="ordinal", values=("calf", "yearling", "adult"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("season", Task("season")),
        ("season*2", Task("season", weight=2)),
        ("season:nominal*0.5", Task("season", Nominal(type="nominal"), 0.5)),
        ("light azimuth:cyclic(360)", Task("light azimuth", Cyclic(type="cyclic", period=360))),
        (" hour : cyclic", None),
        ("hour:cyclic(24)*1e-1", Task("hour", HOUR, 0.1)),
        ("age:ordinal(calf, yearling,adult)", Task("age", AGE)),
        ("light:binary(day,night)", Task("light", Binary(type="binary", values=("day", "night")))),
        ("sent:binary", Task("sent", Binary(type="binary"))),
        ("t:continuous", Task("t", Continuous(type="continuous"))),
        ("t:continuous(-60,60)", Task("t", Continuous(type="continuous", minimum=-60, maximum=60))),
    ],
)
def test_what_is_read(text: str, expected: Task | None) -> None:
    if expected is None:
        with pytest.raises(SetupError, match="write name:kind"):
            parse_task(text)
    else:
        assert parse_task(text) == expected


def test_a_variable_to_hide() -> None:
    assert parse_task("hour:cyclic(24)*3", Aim.ERASE) == Task("hour", HOUR, 3, Aim.ERASE)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write name:kind"),
        (":nominal", "write name:kind"),
        ("a*b*c", "write name:kind"),
        ("hour:circular", "known: nominal, binary, ordinal, continuous, cyclic"),
        ("hour:cyclic", r"hour:cyclic\(24\)"),
        ("hour:cyclic(0)", "greater than 0"),
        ("hour:cyclic(a)", r"valid number.*hour:cyclic\(24\)"),
        ("hour:cyclic(24,7)", r"hour:cyclic\(24\)"),
        ("age:ordinal", r"age:ordinal\(calf,yearling,adult\)"),
        ("age:ordinal(calf)", "at least 2"),
        ("age:ordinal(a,b,a)", "given twice"),
        ("light:binary(a,b,c)", "at most 2"),
        ("t:continuous(1)", "temperature:continuous"),
        ("t:continuous(2,1)", "minimum"),
        ("t*0", "no number above 0"),
        ("t*-1", "no number above 0"),
        ("t*nan", "no number above 0"),
        ("t*inf", "no number above 0"),
        ("t*much", "no number above 0"),
    ],
)
def test_what_is_refused_says_what_would_be_right(text: str, why: str) -> None:
    with pytest.raises(SetupError, match=why):
        parse_task(text)


def test_a_kind_comes_from_the_task_before_the_declaration() -> None:
    tasks = [parse_task("hour:cyclic(24)"), parse_task("age"), parse_task("season")]
    declared: dict[str, Kind] = {"hour": Continuous(type="continuous"), "age": AGE}
    assert kinds_of(tasks, declared) == {"hour": HOUR, "age": AGE, "season": None}


def test_a_variable_is_either_predicted_or_hidden() -> None:
    with pytest.raises(SetupError, match="season is named twice"):
        kinds_of([parse_task("season"), parse_task("season", Aim.REVERSE)], {})
