"""Evaluate, saliency, fit and simulate on stored embeddings."""

from pathlib import Path

from tests.golden.conftest import CALIBRATED, Command, Golden
from tests.golden.stored import CONDITIONING


def test_evaluate(herd: Path, command: Command, golden: Golden) -> None:
    splits = ("--split", 0, "--split", 2)
    distances = ("--distance", "cosine", "--distance", "euclidean", "--distance", "mahalanobis")
    breakdown = ("--by", "season", "--by", "light", "--fpir", 0.02, "--fpir", 0.1)
    golden("evaluate", command("evaluate", herd, *splits, *distances, *breakdown, "--draws", 100))


def test_saliency(herd: Path, command: Command, golden: Golden) -> None:
    golden("saliency", command("saliency", herd, "--split", 1, "--permutations", 99))


def test_fit(herd: Path, tmp_path: Path, command: Command, golden: Golden) -> None:
    folder = tmp_path / "fitted"
    # Of the splits, that whose calibration amplifies rounding least: README.md says how.
    options = ("--split", 1, "--fpir", 0.05, "--name", "herd")
    said = command("fit", herd, *options, "--out", folder)
    # The version is a hash of every bit of it: what it does says whether it is the same.
    golden("fit", said, within=CALIBRATED, without=frozenset({"folder", "version"}))
    used = command("simulate", herd, "--conditioning", folder, "--split", 1)
    golden("fit_used", used, within=CALIBRATED, without=frozenset({"version"}))


def test_simulate(herd: Path, command: Command, golden: Golden) -> None:
    options = ("--conditioning", CONDITIONING, "--compare", "--wrong", 0.1, "--delay", 5)
    golden("simulate", command("simulate", herd, *options, "--split", 0, "--limit", 80))
