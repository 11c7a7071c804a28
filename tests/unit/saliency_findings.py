"""Findings about planted embeddings."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from lab.images.backgrounds import fit_variables
from lab.images.manifest import ManifestRow
from lab.images.samples import EmbeddedParts
from lab.saliency.report import SaliencyReport, VariableReport
from recognition.saliency import Gain, Saliency, rank, saliency
from recognition.variable import Variable
from schemas.background import Declaration
from schemas.event import Background
from tests.unit.planted import Planted, planted

HOSTILE = "</script><script>alert(1)</script><!--data-->"


def declared(**variables: dict[str, object]) -> Declaration:
    return Declaration.model_validate({"variables": variables})


@cache
def found() -> tuple[Planted, list[Background], list[Variable], list[Saliency]]:
    """Look at planted embeddings; the first image has no season."""
    data = planted(0, identities=10)
    backgrounds: list[Background] = [
        {name: value for name, values in data.values.items() if (value := values[i]) is not None}
        for i in range(len(data.labels))
    ]
    del backgrounds[0]["season"]
    variables, _ = fit_variables(backgrounds, None, declared(hour={"type": "cyclic", "period": 24}))
    return (
        data,
        backgrounds,
        variables,
        [
            saliency(data.embeddings, data.labels, one, [b.get(one.name) for b in backgrounds])
            for one in variables
        ],
    )


def looked(folder: Path, gain: Gain | None = None) -> tuple[SaliencyReport, EmbeddedParts]:
    """Return what was found, with a hostile label and this gain for every variable."""
    data, backgrounds, variables, every = found()
    n = len(data.labels)
    report = SaliencyReport(
        data="herd",
        made_at=datetime(2026, 1, 2, tzinfo=UTC),
        model="tiny@1",
        split=0,
        images=n,
        identities=10,
        permutations=199,
        refused={},
        left_out={"site": HOSTILE},
        variables=tuple(
            VariableReport.model_validate(one) for one in rank(replace(f, gain=gain) for f in every)
        ),
    )
    rows = [
        ManifestRow(f"{i}.png", folder / f"{i}.png", label, None, None, {})
        for i, label in enumerate([HOSTILE, *data.labels[1:]])
    ]
    parts = EmbeddedParts(
        data="herd",
        split=0,
        seen=np.ones(n, np.bool_),
        rows=rows,
        embeddings=data.embeddings,
        backgrounds=backgrounds,
        model="tiny@1",
        refused={},
        variables=variables,
        left_out={},
    )
    return report, parts
