"""One-shot runs: what is drawn, and accuracies that can be seen from the angles."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.one_shot.__main__ import main
from benchmarks.one_shot.accuracy import FILLED, WITHIN, ask, classify, lines
from benchmarks.one_shot.page import page
from benchmarks.one_shot.runs import Indices, Run, draw_runs, sheet_of
from schemas.errors import SetupError
from tests.image_set import write_image_set
from tests.unit.angles import at_angles
from tests.unit.tiny_models import write_tiny

ALPHABETS = {"greek": 7, "latin": 4, "rune": 1}
DRAWERS = 3
CHARACTERS = [
    (alphabet, f"{alphabet}{character}", f"d{drawer}")
    for alphabet, count in ALPHABETS.items()
    for character in range(count)
    for drawer in range(DRAWERS)
]
SHEET = sheet_of((i, label, group, hand) for i, (group, label, hand) in enumerate(CHARACTERS))


def drawn(ways: int = 5, runs: int = 6, seed: int = 0) -> list[Run]:
    return draw_runs(SHEET, ways, runs, np.random.default_rng(seed))


def labels(images: Indices) -> list[str]:
    return [CHARACTERS[i][1] for i in images]


def hands(images: Indices) -> set[str]:
    return {CHARACTERS[i][2] for i in images}


def test_a_run_shows_characters_of_one_alphabet_by_two_drawers() -> None:
    for run in drawn():
        assert labels(run.probes) == labels(run.own)
        assert len(set(labels(run.own))) == len(run.own)
        assert {CHARACTERS[i][0] for i in run.own} == {run.group}
        assert len(hands(run.probes)) == len(hands(run.own)) == 1
        assert hands(run.probes) != hands(run.own)


def test_an_alphabet_with_too_few_is_filled_up_from_others() -> None:
    runs = drawn(ways=5)
    assert [run.group for run in runs] == ["greek"] * 6 + ["latin"] * 6  # a single rune is none
    for run in runs[:6]:
        assert (len(run.own), len(run.strangers)) == (5, 0)
    for run in runs[6:]:
        assert (len(run.own), len(run.strangers)) == (4, 1)
        assert run.group not in {CHARACTERS[i][0] for i in run.strangers}
        assert hands(run.strangers) == hands(run.own)
    assert len(drawn(ways=40)[0].strangers) == 5  # all there are


def test_the_same_seed_draws_the_same_runs() -> None:
    one, same, other = drawn(), drawn(), drawn(seed=1)
    assert all((a.probes == b.probes).all() for a, b in zip(one, same, strict=True))
    assert any((a.probes != b.probes).any() for a, b in zip(one, other, strict=True))


def test_runs_that_cannot_be_drawn() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="two ways and one run, got 1 and 1"):
        draw_runs(SHEET, 1, 1, rng)
    with pytest.raises(ValueError, match="no group has two identities"):
        draw_runs(sheet_of([(0, "a", "rune", "d0")]), 2, 1, rng)
    apart = sheet_of([(0, "a", "rune", "d0"), (1, "b", "rune", "d1")])
    with pytest.raises(ValueError, match="2 identities of 'rune' have no two hands in common"):
        draw_runs(apart, 2, 1, rng)


# Two characters a and b, by one drawer at 0 and 90 degrees and by another at 10 and 100, a stranger
# at 5; and an alphabet of three, of which only the first is told.
ANGLES = [0.0, 90.0, 10.0, 100.0, 5.0, 0.0, 120.0, 240.0, 1.0, 2.0, 3.0]
LABELS = ["a", "b", "a", "b", "x", "p", "q", "r", "p", "q", "r"]


def run(group: str, probes: list[int], own: list[int], strangers: list[int]) -> Run:
    parts = (np.array(part, dtype=np.intp) for part in (probes, own, strangers))
    return Run(group, *parts)


PAIR = run("pair", [0, 1], [2, 3], [4])
THREE = run("three", [5, 6, 7], [8, 9, 10], [])


def test_the_nearest_class_is_the_answer() -> None:
    assert classify(PAIR, at_angles(ANGLES)).tolist() == [[1, 0], [1, 1]]
    # 120 degrees lies nearest to 3, and so does 240 to 1.
    assert classify(THREE, at_angles(ANGLES)).tolist() == [[1, 1], [0, 0], [0, 0]]


def test_every_alphabet_counts_the_same() -> None:
    vectors = at_angles(ANGLES)
    turned = vectors.copy()
    turned[[6, 7]] = at_angles([2.0, 3.0])  # now told rightly
    models = {"good": {0: turned}, "plain": {0: vectors}}
    answers = ask({0: [PAIR, THREE]}, LABELS, models)
    pair, three, mean = lines(answers, WITHIN, draws=200)
    assert [line.group for line in (pair, three, mean)] == ["pair", "three", "mean"]
    assert (pair.fewest, pair.chance, pair.accuracy["plain"].mean) == (2, 0.5, 1)
    assert three.fewest == 3
    assert three.accuracy["plain"].mean == pytest.approx(1 / 3)
    assert mean.accuracy["plain"].mean == pytest.approx((1 + 1 / 3) / 2)
    assert mean.chance == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert (mean.fewest, mean.most) == (2, 3)
    assert three.gain["good"].mean == pytest.approx(2 / 3)
    assert (pair.gain["good"].low, pair.gain["good"].high) == (0, 0)
    assert (three.accuracy["plain"].low, three.accuracy["plain"].high) == (0, 1)
    filled = lines(answers, FILLED, draws=200)
    assert (filled[0].fewest, filled[0].accuracy["plain"].mean) == (3, 0.5)
    text = page([pair, three, mean], filled, 3, "about")
    assert "| three | 3 | 0.333 | 1.000 [1.000, 1.000] | 0.333 [0.000, 1.000] | +0.667" in text
    assert "| mean | 2 to 3 | 0.417 |" in text


def test_a_split_may_have_its_own_embeddings() -> None:
    vectors = at_angles(ANGLES)
    swapped = vectors.copy()
    swapped[[0, 1]] = vectors[[1, 0]]
    answers = ask({0: [PAIR], 3: [PAIR]}, LABELS, {"plain": {0: vectors, 3: swapped}})
    pair, _ = lines(answers, WITHIN, draws=20)
    assert pair.accuracy["plain"].mean == 0.5


def test_from_images_to_a_page(tmp_path: Path) -> None:
    manifest = write_image_set(tmp_path / "set", identities=15, shots=4)
    model = write_tiny(tmp_path / "model")
    options = {"split": [0, 1], "ways": 4, "runs": 2, "within": "season", "draws": 20}
    out = tmp_path / "out"
    main(manifest, model=str(model), across="hour", seed=0, out=out, **options)  # type: ignore[arg-type]  # a mixed mapping
    found = json.loads((out / "one_shot.json").read_bytes())
    assert [line["group"] for line in found[WITHIN]] == ["summer", "winter", "mean"]
    plain = found[WITHIN][2]["accuracy"]["plain backbone"]
    assert plain["mean"] > 0.5  # by chance a quarter
    assert (out / "one_shot.md").read_text().startswith("# One-shot accuracy")
    with pytest.raises(SetupError, match="cannot draw runs: no group has two identities"):
        main(manifest, model=str(model), across="weather", seed=0, out=out, **options)  # type: ignore[arg-type]
