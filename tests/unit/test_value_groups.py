import pytest

from recognition.value_groups import Groups, group_values
from recognition.variable import Kind, Variable


def grouped(variable: Variable, *values: object) -> tuple[tuple[str, ...], list[int]]:
    groups: Groups = group_values(variable, values)
    return groups.names, groups.codes.tolist()


def names(count: int) -> Variable:
    return Variable("x", Kind.NOMINAL, tuple(f"n{i:02d}" for i in range(count)))


NUMBER = Variable("x", Kind.CONTINUOUS)
HOUR = Variable("hour", Kind.CYCLIC, period=24)


def test_names_that_come_are_groups_in_their_order() -> None:
    assert grouped(names(3), "n02", None, "n00", "other") == (("n00", "n02"), [1, -1, 0, -1])
    age = Variable("age", Kind.ORDINAL, ("young", "old"))
    assert grouped(age, "old", "young") == (("young", "old"), [1, 0])


def test_the_rarest_of_many_names_are_one_group() -> None:
    twice = [f"n{i:02d}" for i in range(3, 14)]
    found, codes = grouped(names(20), *twice, *twice, "n00", "n19", None)
    assert found == (*twice, "(others)")
    assert codes == [*range(11), *range(11), 11, 11, -1]
    twelve = [f"n{i:02d}" for i in range(12)]
    assert grouped(names(12), *twelve)[0] == tuple(twelve)


def test_numbers_are_cut_into_quartiles() -> None:
    found, codes = grouped(NUMBER, 1, 2, 3, 4, 5, 6, 7, 8.0, "9", None)
    assert found == ("1 to 3", "3 to 5", "5 to 7", "7 to 9")
    assert codes == [0, 0, 1, 1, 2, 2, 3, 3, 3, -1]


def test_few_numbers_are_a_group_each() -> None:
    assert grouped(NUMBER, 10, 2.5, None, 10) == (("2.5", "10"), [1, 0, -1, 1])


def test_where_quartiles_coincide_those_of_the_different_values_cut() -> None:
    found, codes = grouped(NUMBER, *[0] * 90, 1, 2, 3, 4)
    assert found == ("0 to 1", "1 to 2", "2 to 3", "3 to 4")
    assert codes == [0] * 90 + [1, 2, 3, 3]


@pytest.mark.parametrize(
    ("numbers", "first"),
    [
        ([1.5, 2.5, 3.5, 4.5, 5.5], "1.5 to 2.5"),
        ([1000, 1001, 1002, 1003, 1004], "1000 to 1001"),
        ([1234567, 2234567, 3234567, 4234567, 5234567], "1.23457e+06 to 2.23457e+06"),
        ([20250401000000 + i for i in range(5)], "20250401000000 to 20250401000001"),
    ],
)
def test_ranges_have_as_many_digits_as_they_need(numbers: list[float], first: str) -> None:
    assert grouped(NUMBER, *numbers)[0][0] == first


def test_a_cycle_is_cut_into_quarters_of_its_period() -> None:
    assert grouped(HOUR, 0, 5.9, 24, 13, -1) == (
        ("0 to 6", "12 to 18", "18 to 24"), [0, 0, 0, 1, 2]
    )  # fmt: skip


def test_values_within_one_quarter_are_told_apart_all_the_same() -> None:
    assert grouped(HOUR, 1, 2) == (("1", "2"), [0, 1])


def test_nothing_is_in_no_group() -> None:
    assert grouped(NUMBER, None, "?") == ((), [-1, -1])
    assert grouped(names(2)) == ((), [])
