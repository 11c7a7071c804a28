"""A training run that is killed as by a power cut ends as if it had not been."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.image_set import write_image_set
from tests.unit.training_runs import read_history
from tests.unit.training_samples import config

STEPS, EVERY = 60, 10


@contextmanager
def training(manifest: Path, settings: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``perennial train`` on one thread beside the test, and end it afterwards."""
    plain = {n: v for n, v in os.environ.items() if not n.startswith("PERENNIAL_")}
    command = [sys.executable, "-m", "infra.cli", "train", str(manifest)]
    log = (out.parent / f"{out.name}.log").open("ab")
    process = subprocess.Popen(
        [*command, "--out", str(out), "--config", str(settings)],
        env={**plain, "PERENNIAL_THREADS": "1", "PERENNIAL_DEVICE": "cpu", "OMP_NUM_THREADS": "1"},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)
        log.close()


def kill_in_the_middle(process: subprocess.Popen[bytes], out: Path) -> int:
    """Kill a run a few steps after a checkpoint; return how many steps it had noted."""
    until = time.monotonic() + 120
    while not (out / "checkpoint.pt").exists() or len(read_history(out)) < EVERY + 3:
        assert process.poll() is None, (out.parent / f"{out.name}.log").read_text()
        assert time.monotonic() < until, "no checkpoint in two minutes"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    return len(read_history(out))


@pytest.mark.timeout(300)
def test_a_killed_run_ends_in_the_same_weights(tmp_path: Path) -> None:
    manifest = write_image_set(tmp_path / "set", 12, 4)
    settings = tmp_path / "settings.json"
    made = config(
        steps=STEPS,
        evaluate_every=EVERY,
        patience=STEPS,
        loss="multi-similarity+0.1*subcenter-arcface",
        predict=["season"],
        group_by=["season"],
    )
    settings.write_text(made.model_dump_json())
    whole, cut = tmp_path / "whole", tmp_path / "cut"

    with training(manifest, settings, cut) as process:
        noted = kill_in_the_middle(process, cut)
    assert EVERY < noted < STEPS, "it was killed in the middle"
    assert not (cut / "model").exists()

    with (
        training(manifest, settings, cut) as again,
        training(manifest, settings, whole) as unbroken,
    ):
        for process, out in ((again, cut), (unbroken, whole)):
            assert process.wait(200) == 0, (tmp_path / f"{out.name}.log").read_text()

    lines = (cut / "metrics.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, STEPS + 1))
    assert lines == (whole / "metrics.jsonl").read_bytes().splitlines()
    for name in ("weights.safetensors", "model.json"):
        assert (cut / "model" / name).read_bytes() == (whole / "model" / name).read_bytes()
