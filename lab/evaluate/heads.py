"""What the auxiliary heads of a model tell of the background of the test images."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from lab.evaluate.report import HeadReport
from lab.evaluate.summary import number
from lab.images.embed import EmbeddedImages
from lab.images.manifest import ManifestRow
from recognition.evaluation import mean
from recognition.protocol import Part, Split
from schemas.errors import SetupError
from schemas.event import Scalar
from workers.training.figures import Figure
from workers.training.variables import MISSING, LearnedVariable


def heads_report(
    rows: Sequence[ManifestRow], splits: Sequence[Split], embedded: Mapping[int, EmbeddedImages]
) -> tuple[HeadReport, ...]:
    """Return the mean over the splits of what each head tells; nothing for a model without heads.

    Args:
        rows: all images. Their background is taken as it stands: so it was in training.
        splits: whose test images are looked at.
        embedded: by the number of the split.
    """
    # By measure too: two values in one split and three in another are different kinds of variable.
    by_head: dict[tuple[str, str, str], list[Figure]] = defaultdict(list)
    for split in splits:
        for name, aim, figure in _figures(rows, split, embedded[split.number]):
            by_head[name, aim, figure.measure].append(figure)
    return tuple(_mean(*key, figures) for key, figures in by_head.items())


def _figures(
    rows: Sequence[ManifestRow], split: Split, embedded: EmbeddedImages
) -> list[tuple[str, str, Figure]]:
    if embedded.heads is None:
        return []
    images = np.intersect1d(split.images(Part.TEST), embedded.sound)
    learned = embedded.heads.learned
    codes = [[_code(v, rows[i].background.get(v.name)) for _, v in learned] for i in images]
    report = embedded.heads.report(
        torch.from_numpy(embedded.vectors[images]),
        torch.tensor(codes, dtype=torch.float32).reshape(len(images), len(learned)),
    )
    return [(task.name, task.aim.value, report[task.name]) for task, _ in learned]


def _code(variable: LearnedVariable, value: Scalar | None) -> float:
    """Encode a value; one that is none of this variable is as good as missing in other data."""
    try:
        return variable.encode(value)
    except SetupError:
        return MISSING


def _mean(name: str, aim: str, measure: str, figures: Sequence[Figure]) -> HeadReport:
    known = [figure for figure in figures if np.isfinite(figure.value)]
    values = np.array([figure.value for figure in known])
    return HeadReport(
        variable=name,
        aim=aim,
        measure=measure,
        value=number(mean(values)),
        spread=float(values.std(ddof=1)) if values.size > 1 else None,
        chance=number(mean(np.array([figure.chance for figure in known]))),
        images=sum(figure.count for figure in figures),
    )
