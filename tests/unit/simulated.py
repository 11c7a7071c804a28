"""Streams for simulations: identities at right angles, in noise, one after the other."""

from datetime import timedelta
from typing import Any

import numpy as np

from lab.simulate.oracle import Oracle
from lab.simulate.system import Simulated, System, simulate
from schemas.conditioning import Activation
from schemas.embedding import Embedding
from schemas.settings import load_settings
from tests.gallery_entries import CAPTURED, MODEL, unit

IDENTITIES, DIMENSION = 8, 32
TELLS_APART = 1e-3
"""An FPIR at which nobody is mistaken for another, and everybody recognised once all are there."""


def stream(
    rounds: int, noise: float = 0.02, dimension: int = DIMENSION
) -> tuple[list[Embedding], dict[str, str]]:
    """Return embeddings and labels: everybody comes once a round, in the same order."""
    rng = np.random.default_rng(0)
    centres = np.eye(IDENTITIES, dimension)
    embeddings = [
        Embedding(
            event_id=f"{turn}-{who}",
            source="cam",
            captured_at=CAPTURED + timedelta(minutes=IDENTITIES * turn + who),
            background={"light": ("day", "night")[turn % 2]},
            region=None,
            vector=unit(centres[who] + noise * rng.normal(size=dimension)),
            model=MODEL,
            timings_ms={},
        )
        for turn in range(rounds)
        for who in range(IDENTITIES)
    ]
    return embeddings, {one.event_id: f"p{one.event_id.split('-')[1]}" for one in embeddings}


async def simulated(
    embeddings: list[Embedding],
    labels: dict[str, str],
    *,
    mad: bool = False,
    wrong: float = 0.0,
    delay: int = 0,
    active: Activation | None = None,
    **settings: Any,
) -> Simulated:
    """Run them through a system."""
    system = System(load_settings(**settings), mad=mad, active=active)
    oracle = Oracle(labels, wrong=wrong, delay=delay, seed=0)
    return await simulate(system, oracle, embeddings, list(labels.values()))
