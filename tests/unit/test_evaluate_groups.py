from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.images.backgrounds import backgrounds_of, groupings
from lab.images.manifest import ManifestRow
from schemas.background import Declaration
from schemas.errors import SetupError
from schemas.event import Background
from tests.pictures import photograph

BACKGROUNDS: list[Background] = [
    {
        "season": ("winter", "summer")[i % 2],
        "hour": i / 2,
        "clip": f"c{i}",
        "lens": 10 - i % 2,
        "site": "here",
    }
    for i in range(40)
]


def test_what_has_few_values_is_a_group_each_and_many_numbers_become_quartiles() -> None:
    found = groupings([*BACKGROUNDS, {"lens": 9}], None)
    assert list(found) == ["season", "hour", "lens", "site"]  # 40 clips are too many names
    assert found["season"].names == ("summer", "winter", "(none)")
    assert found["season"].codes[[0, 1, 2, 40]].tolist() == [1, 0, 1, 2]
    assert found["lens"].names == ("9", "10")
    assert found["hour"].names == (
        "0 to 4.88", "4.88 to 9.75", "9.75 to 14.6", "14.6 to 19.5", "(none)"
    )  # fmt: skip
    assert found["hour"].codes.tolist() == [0] * 10 + [1] * 10 + [2] * 10 + [3] * 10 + [4]


def test_one_value_breaks_nothing_down() -> None:
    assert "site" not in groupings(BACKGROUNDS, None)
    assert groupings(BACKGROUNDS, ["site"])["site"].names == ("here",)


def test_what_is_asked_for() -> None:
    assert list(groupings(BACKGROUNDS, ["clip", "season", "clip"])) == ["clip", "season"]
    assert len(groupings(BACKGROUNDS, ["clip"])["clip"].names) == 40
    with pytest.raises(SetupError, match="no image has the variable 'weather'; known: season, ho"):
        groupings(BACKGROUNDS, ["weather"])
    many: list[Background] = [{"clip": f"c{i}"} for i in range(41)]
    with pytest.raises(SetupError, match="'clip' has more than 40 names"):
        groupings(many, ["clip"])


def test_ranges_have_as_many_digits_as_they_need() -> None:
    clips: list[Background] = [{"clip": 20250401000000 + i} for i in range(13)]
    values = groupings(clips, None)["clip"].names
    assert values[0] == "20250401000000 to 20250401000003"
    assert len(values) == 4


def test_numbers_and_names_together_are_names() -> None:
    mixed: list[Background] = [{"stall": 2}, {"stall": "out"}, {"stall": 10}, {"stall": True}]
    assert groupings(mixed, None)["stall"].names == ("2", "10", "True", "out")


DECLARED = Declaration.model_validate(
    {
        "variables": {
            "age": {"type": "ordinal", "values": ["calf", "yearling", "adult"]},
            "hour": {"type": "cyclic", "period": 24, "derived": "hour"},
        }
    }
)


def row(at: datetime | None, **background: str | float) -> ManifestRow:
    return ManifestRow("a.jpg", Path("a.jpg"), "x", at, None, dict(background))


def test_a_declaration_chooses_completes_and_orders() -> None:
    noon = datetime(2025, 4, 1, 12, tzinfo=UTC)
    rows = [row(noon, age="adult", clip="c1"), row(None, age="calf"), row(None, age="yearling")]
    backgrounds = backgrounds_of(rows, DECLARED)
    assert backgrounds[0] == {"age": "adult", "hour": 12.0}
    assert backgrounds[1] == {"age": "calf"}
    found = groupings(backgrounds, None, DECLARED)
    assert found["age"].names == ("calf", "yearling", "adult")
    assert found["hour"].names == ("12", "(none)")


def test_what_is_derived_follows_from_what_the_photograph_says(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(photograph(DateTimeOriginal="2025:04:01 12:30:00"))
    there = ManifestRow("a.jpg", path, "x", None, None, {})
    assert backgrounds_of([there], DECLARED) == [{"hour": 12.5}]


def test_a_value_that_was_not_declared_is_named() -> None:
    with pytest.raises(SetupError, match=r"a\.jpg: background age='old'"):
        backgrounds_of([row(datetime(2025, 1, 1, tzinfo=UTC), age="old")], DECLARED)


def test_without_a_declaration_every_column_counts() -> None:
    assert backgrounds_of([row(None, age="old", clip=3)], None) == [{"age": "old", "clip": 3}]
