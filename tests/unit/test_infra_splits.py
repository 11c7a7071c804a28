from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.images.manifest import ManifestRow
from lab.images.splits import read_splits, session_of, splits_of
from recognition.protocol import Part
from schemas.errors import SetupError

HEADING = "split,scenario,path,part,role,known\n"


def row(name: str, label: str | None, **background: str | float) -> ManifestRow:
    return ManifestRow(name, Path(name), label, None, None, dict(background))


ROWS = [
    *(row(f"t{i}.jpg", "Trained") for i in range(2)),
    *(row(f"k{i}.jpg", "Known") for i in range(3)),
    *(row(f"u{i}.jpg", "Unknown") for i in range(2)),
    row("nameless.jpg", None),
]


def read(folder: Path, text: str, rows: list[ManifestRow] = ROWS) -> object:
    path = folder / "splits.csv"
    path.write_text(text)
    return read_splits(path, rows)


def test_a_splits_file(tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    path.write_text(
        f"\ufeff{HEADING}"
        "1,mixed,t1.jpg,train,train,0\n1,mixed,t0.jpg,train,train,0\n1,cross,t0.jpg,train,train,0\n"
        "1,mixed,k2.jpg,test,gallery,1\n1,mixed,k0.jpg,test,probe,1\n1,mixed,u0.jpg,test,probe,0\n"
        "1,cross,k0.jpg,test,gallery,1\n1,cross,./k1.jpg,test,probe,1\n"
        "0,mixed,k0.jpg,calibrate,gallery,1\n0,mixed,u1.jpg,calibrate,probe,0\n"
    )
    none, first = read_splits(path, ROWS)
    assert (none.number, first.number) == (0, 1)
    assert first.train.tolist() == [0, 1]
    assert none.train.tolist() == []
    assert set(first.trials) == {("mixed", Part.TEST), ("cross", Part.TEST)}
    mixed, cross = first.trials["mixed", Part.TEST], first.trials["cross", Part.TEST]
    assert (mixed.gallery.tolist(), mixed.probes.tolist()) == ([4], [2, 5])
    assert (cross.gallery.tolist(), cross.probes.tolist()) == ([2], [3])
    assert none.trials["mixed", Part.CALIBRATE].probes.tolist() == [6]


TEST = "0,mixed,k0.jpg,test,gallery,1\n0,mixed,k1.jpg,test,probe,1\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("split,path\n", "no column part, role, scenario; the first line of a splits file reads"),
        (HEADING, "no split in it"),
        (f"{HEADING}one,mixed,k0.jpg,test,probe,1\n", "line 2: split 'one' is no number"),
        (f"{HEADING}0,mixed,k0.jpg,exam,probe,1\n", "part 'exam'; one of train, calibrate, test"),
        (f"{HEADING}0,mixed,k0.jpg,test,train,1\n", "role 'train' in part test; one of gallery"),
        (f"{HEADING}{TEST}0,mixed,k9.jpg,test,probe,1\n", "line 4: k9.jpg is not in the manifest"),
        (f"{HEADING}{TEST}0,mixed,nameless.jpg,test,probe,0\n", "nameless.jpg has no label"),
        (f"{HEADING}{TEST}0,mixed,k2.jpg,train,train,0\n", "'Known' in test and in train"),
        (f"{HEADING}0,mixed,k0.jpg,test,probe,0\n", "part test has 0 gallery images and 1 probes"),
        (f"{HEADING}{TEST}0,mixed,k0.jpg,test,probe,1\n", "both in the gallery and a probe"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SetupError, match=why):
        read(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="No such file"):
        splits_of(tmp_path / "manifest.csv", ROWS, tmp_path / "none.csv")


def test_the_file_beside_the_manifest_is_found_unless_another_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "splits.csv").write_text(HEADING + TEST)
    other = tmp_path / "other.csv"
    other.write_text(HEADING + TEST.replace("0,mixed", "7,mixed"))
    manifest = tmp_path / "manifest.csv"
    assert [split.number for split in splits_of(manifest, ROWS, None)] == [0]
    assert [split.number for split in splits_of(manifest, ROWS, other)] == [7]


def test_else_splits_are_made_of_what_has_a_label(tmp_path: Path) -> None:
    rows = [
        row(f"{cow}-{day}-{i}.jpg", None if cow == 0 else f"cow{cow}", date=f"2025-04-{day:02d}")
        for cow in range(12)
        for day in (1, 2)
        for i in range(2)
    ]
    splits = splits_of(tmp_path / "manifest.csv", rows, None)
    assert len(splits) == 5
    for split in splits:
        for trial in split.trials.values():
            enrolled = {(rows[i].label, rows[i].background["date"]) for i in trial.gallery}
            looked_up = {(rows[i].label, rows[i].background["date"]) for i in trial.probes}
            assert not enrolled & looked_up
            assert None not in {label for label, _ in enrolled | looked_up}
    again = splits_of(tmp_path / "manifest.csv", rows, None)
    assert [s.train.tolist() for s in again] == [s.train.tolist() for s in splits]


def test_too_few_identities(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"cannot make splits of .*manifest.csv: "):
        splits_of(tmp_path / "manifest.csv", ROWS, None)


def test_the_session_of_a_row() -> None:
    at = datetime(2025, 4, 1, 23, 30, tzinfo=UTC)
    dated = ManifestRow("a", Path("a"), "x", at, None, {"date": "night 7", "session": 3})
    assert session_of(dated) == "3"
    assert session_of(row("a", "x", date="night 7")) == "night 7"
    assert session_of(ManifestRow("a", Path("a"), "x", at, None, {})) == "2025-04-01"
    assert session_of(row("a", "x")) == ""
