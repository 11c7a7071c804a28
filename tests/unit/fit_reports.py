"""A small fit, and reports on it with other figures."""

from functools import cache
from typing import Any

import numpy as np

from lab.fit.fitting import FitResult, fit_conditioning
from lab.fit.report import FitReport, Origin, SampleSize, WayReport
from lab.fit.run import report_on
from recognition.fit import Sample
from recognition.fitted_variable import fit_variable
from tests.conditionings import AT

IDENTITIES, SHOTS = 24, 8
HOSTILE = "<script>alert(1)</script>"


def origin(**changes: Any) -> Origin:
    values: dict[str, Any] = {
        "data": "herd",
        "made_at": AT,
        "model": "m@1",
        "split": 2,
        "fpir": 0.02,
        "seen": SampleSize(images=96, identities=12),
        "held_out": SampleSize(images=96, identities=12),
        "refused": {"a.png": "no image"},
        "left_out": {"site": "background site: there is only the value 'here'"},
    }
    return Origin(**{**values, **changes})


@cache
def made() -> FitResult:
    """A season that moves all embeddings, and a lens that does nothing."""
    rng = np.random.default_rng(0)
    n = IDENTITIES * SHOTS
    who = np.repeat(np.arange(IDENTITIES), SHOTS)
    embeddings = rng.normal(size=(IDENTITIES, 12))[who] + rng.normal(size=(n, 12)) / 4
    embeddings[:, 0] += 3.0 * (np.arange(n) % 2)
    backgrounds = [
        {"season": ("summer", "winter")[i % 2], "lens": f"l{lens}"}
        for i, lens in enumerate(rng.integers(0, 2, n).tolist())
    ]
    labels = np.array([f"id{one}" for one in who], dtype=np.str_)
    x = embeddings.astype(np.float32)
    half = n // 2
    seen, held_out = (
        Sample(x[part], labels[part], backgrounds[part]) for part in (slice(half), slice(half, n))
    )
    variables = [fit_variable(v, [b[v] for b in backgrounds]) for v in ("lens", "season")]
    return fit_conditioning(seen, held_out, variables, 0.02)


def report(**changes: Any) -> FitReport:
    return report_on(made(), origin(**changes))


def way(name: str, gain: float, low: float, high: float) -> WayReport:
    return WayReport(way=name, tpir=0.5 + gain, gain=gain, low=low, high=high)


def won(*ways: WayReport, chosen: int, one_cluster: int, clusters: int) -> FitReport:
    """A report in which this way won, in so many clusters."""
    given = report()
    every = (way("plain distances", 0.0, 0.0, 0.0), *ways)
    changed = given.race.model_copy(
        update={"ways": every, "chosen": chosen, "one_cluster": one_cluster}
    )
    some = (given.clusters * 4)[:clusters]
    return given.model_copy(update={"race": changed, "clusters": some})


ONE = way("one cluster, scaled, local scale", 0.02, 0.01, 0.03)
