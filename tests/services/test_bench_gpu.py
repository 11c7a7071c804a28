"""The benchmark of a GPU, on whatever there is: the forward pass, and a worker beside it."""

import json
from pathlib import Path

from benchmarks import gpu
from schemas.settings import Settings


def test_passes_and_a_worker_in_both_precisions(settings: Settings, tmp_path: Path) -> None:
    assert settings.model is not None
    gpu.main(tmp_path, batches="1,4", seconds=0.2, frames=40, model=settings.model)
    rows = json.loads((tmp_path / "gpu.json").read_text())
    kinds = [(row["what"].split()[0], row["precision"], row["batch"]) for row in rows]
    each = [("forward", 1), ("forward", 4), ("worker,", 4)]
    assert kinds == [(w, p, b) for p in ("float32", "bfloat16") for w, b in each]
    assert all(row["rate"] > 0 for row in rows)
    ends = [row for row in rows if row["ratio"] is not None]
    assert len(ends) == 2
    page = (tmp_path / "gpu.md").read_text()
    assert "| worker, from topic to topic | bfloat16 | 4 |" in page
