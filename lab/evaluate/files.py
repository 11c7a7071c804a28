"""What an evaluation leaves in a folder."""

import re
from collections.abc import Sequence
from pathlib import Path

from lab.evaluate.exam import VariantResult
from lab.evaluate.markdown import markdown
from lab.evaluate.plots.bars import bars
from lab.evaluate.plots.det import det
from lab.evaluate.plots.scores import scores
from lab.evaluate.report import Evaluation
from lab.shown.folder import writing
from lab.shown.style import save

_UNSAFE = re.compile(r"[^\w.-]")


def write(folder: Path, evaluation: Evaluation, assessed: Sequence[VariantResult]) -> None:
    """Write ``evaluation.json``, ``evaluation.md`` and the pictures; the folder is made.

    Raises:
        SetupError: it cannot be written to.
    """
    fpir = evaluation.fpirs[-1]
    with writing(folder):
        (folder / "evaluation.json").write_text(
            evaluation.model_dump_json(indent=1), encoding="utf-8"
        )
        (folder / "evaluation.md").write_text(markdown(evaluation), encoding="utf-8")
        save(det(assessed, evaluation.fpirs), folder / "det.png")
        save(scores(assessed, fpir), folder / "scores.png")
        for variable in evaluation.variables:
            name = f"by_{_UNSAFE.sub('_', variable)}.png"
            save(bars(evaluation, variable, fpir), folder / name)
