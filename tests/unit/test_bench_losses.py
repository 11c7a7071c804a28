"""The table of losses: how rows are kept and shown, and a run from images to a page."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.losses import __main__ as losses
from benchmarks.losses.job import Job, read_job
from benchmarks.losses.table import PLAIN, STARTED, Figures, Journal, Row, markdown, row_of
from schemas.errors import SetupError
from tests.image_set import write_image_set
from tests.unit.training_samples import config

FIGURES = Figures(0.5, {"mixed": 0.25, "cross": math.nan}, {"mixed": 0.75, "cross": 0.5})


def job(tmp_path: Path, split: int = 0) -> Job:
    return Job(tmp_path / "herd" / "manifest.csv", split, config())


def test_rows_outlive_the_run_that_made_them(tmp_path: Path) -> None:
    path = tmp_path / "new" / "losses.jsonl"
    journal = Journal(path)
    journal.append(row_of("herd", "triplet", "s1", 3.14, FIGURES))
    journal.append(Row(set="herd", loss="magnet", settings="s1", seconds=1, error="no"))
    with path.open("a") as file:
        file.write('{"set": "herd", "lo')  # cut off
    again = Journal(path)
    assert again.rows == journal.rows
    assert again.done("herd", "triplet", "s1")
    assert not again.done("herd", "triplet", "s2")  # other settings
    assert not again.done("herd", "magnet", "s1")  # failed: tried again
    again.append(row_of("herd", "magnet", "s1", 2, FIGURES))
    assert Journal(path).rows == again.rows
    path.write_text('{"cow": 1}\n')
    with pytest.raises(SetupError, match="is not of this benchmark"):
        Journal(path)


def test_the_table_shows_the_last_row_of_these_settings(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "losses.jsonl")
    for loss, settings in (("triplet", "old"), ("triplet", "s1"), (PLAIN, "s1"), ("pddm", "s1")):
        journal.append(row_of("herd", loss, settings, 1, FIGURES))
    journal.append(Row(set="herd", loss="pddm", settings="s1", seconds=9, error="boom | bang"))
    rows = journal.latest({"herd": "s1"}, ["pddm", "triplet"])
    assert [row.loss for row in rows] == [PLAIN, "pddm", "triplet"]
    assert rows[2].settings == "s1"
    text = markdown(rows, "about")
    assert "| triplet | 0.250 | – |" in text
    assert "| pddm | – | – |" in text
    assert "| triplet | 0.500 | 0.250 | 0.750 | – | 0.500 | 1 |" in text
    assert "| pddm | failed: boom / bang | – | – | – | – | 9 |" in text


def test_a_loss_that_fails_is_a_row(tmp_path: Path) -> None:
    def fail() -> Figures:
        raise RuntimeError("no\n  way")

    row = losses.attempt(job(tmp_path), "triplet", fail)
    assert (row.set, row.error, row.calibrate) == ("herd", "RuntimeError: no way", None)


def test_settings_are_told_apart_by_all_but_the_loss(tmp_path: Path) -> None:
    mine = job(tmp_path)
    other = Job(mine.manifest, 0, mine.config.model_copy(update={"loss": "arcface"}))
    longer = Job(mine.manifest, 0, mine.config.model_copy(update={"steps": 7}))
    assert mine.settings == other.settings
    assert len({mine.settings, longer.settings, job(tmp_path, split=1).settings}) == 3


def test_a_manifest_may_come_with_settings(tmp_path: Path) -> None:
    manifest = write_image_set(tmp_path / "a=b", identities=2, shots=2)
    file = tmp_path / "config.json"
    file.write_text(config(seed=4, linear_map="nca").model_dump_json())
    with_settings = read_job(f"{manifest}={file}", 0, 9)
    assert (with_settings.manifest, with_settings.name) == (manifest, "a=b")
    assert (with_settings.config.seed, with_settings.config.steps) == (4, 9)
    assert with_settings.config.linear_map is None
    assert read_job(str(manifest), 0, 9).config.seed == 0
    for text, why in (("none.csv", "no manifest none.csv"), (f"{manifest}=none.json", "none.json")):
        with pytest.raises(SetupError, match=why):
            read_job(text, 0, 9)


def test_from_images_to_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write_image_set(tmp_path / "herd", identities=15, shots=4)
    file = tmp_path / "config.json"
    file.write_text(config().model_dump_json())
    out, text = tmp_path / "out", f"{manifest}={file}"
    losses.main([text], steps=2, loss=["triplet", "arcface"], split=0, out=out)
    found = json.loads((out / "losses.json").read_bytes())
    assert [row["loss"] for row in found["rows"]] == [PLAIN, STARTED, "triplet", "arcface"]
    assert all(row["error"] is None for row in found["rows"])
    assert 0 < found["rows"][1]["rank1"]["mixed"] <= 1
    assert found["configs"]["herd"]["steps"] == 2

    made: list[str] = []
    attempt = losses.attempt

    def noted(job: Job, loss: str, measure: Callable[[], Figures]) -> Row:
        made.append(loss)
        return attempt(job, loss, measure)

    monkeypatch.setattr(losses, "attempt", noted)
    losses.main([text], steps=2, loss=["arcface", "center"], split=0, out=out)
    assert made == ["center"]  # the others are there already
    again = json.loads((out / "losses.json").read_bytes())
    assert again["rows"][:3] == [found["rows"][0], found["rows"][1], found["rows"][3]]
    monkeypatch.undo()
    losses.main([text], steps=2, loss=["arcface"], split=0, out=tmp_path / "anew")
    anew = json.loads((tmp_path / "anew" / "losses.json").read_bytes())["rows"][2]
    assert {**anew, "seconds": 0} == {**found["rows"][3], "seconds": 0}  # reproducible


def test_what_is_wrong_is_said_before_anything_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no loss 'tripled'"):
        losses.main(["none.csv"], steps=2, loss=["tripled"], split=0, out=tmp_path)
