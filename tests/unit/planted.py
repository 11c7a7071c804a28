"""Embeddings in which it is known what each background variable does."""

from dataclasses import dataclass

import numpy as np

from recognition.distance import FloatArray

SHOTS, DIMENSIONS = 12, 24


@dataclass(frozen=True)
class Planted:
    """Embeddings (n, d), their labels, and the values of the variables."""

    embeddings: FloatArray
    labels: list[str]
    values: dict[str, list[str | float | None]]


def planted(seed: int, identities: int = 30) -> Planted:
    """``season`` shifts, ``night`` spreads, ``wet`` does both, ``lens`` nothing, ``breed`` is who.

    ``hour`` shifts along a circle and ``age`` in proportion; ``serial`` is a number for nothing.
    """
    rng = np.random.default_rng(seed)
    n = identities * SHOTS
    who = np.repeat(np.arange(identities), SHOTS)
    season, night, wet, lens = rng.integers(0, (3, 2, 2, 2), (n, 4)).T
    hour, age, serial = rng.uniform(0, 24, n), rng.normal(0, 1, n), rng.normal(0, 1, n)
    breed = rng.integers(0, 4, identities)[who]
    axes = np.linalg.qr(rng.normal(size=(DIMENSIONS, DIMENSIONS)))[0]
    angle = hour * np.pi / 12
    centres = rng.normal(0, 3, (identities, DIMENSIONS))[who] + 3 * axes[6 + breed]
    noise = rng.normal(size=(n, DIMENSIONS)) * (0.5 * (1 + 0.5 * night) * (1 + 0.5 * wet))[:, None]
    moved = 1.5 * axes[season] + 1.5 * wet[:, None] * axes[3] + 1.0 * age[:, None] * axes[10]
    turned = np.cos(angle)[:, None] * axes[4] + np.sin(angle)[:, None] * axes[5]
    return Planted(
        (centres + noise + moved + turned).astype(np.float32),
        [f"id{i}" for i in who],
        {
            "season": np.array(["spring", "summer", "winter"])[season].tolist(),
            "night": np.array(["no", "yes"])[night].tolist(),
            "wet": np.array(["dry", "wet"])[wet].tolist(),
            "lens": np.array(["a", "b"])[lens].tolist(),
            "breed": np.array(["b0", "b1", "b2", "b3"])[breed].tolist(),
            "hour": hour.tolist(),
            "age": age.tolist(),
            "serial": serial.tolist(),
        },
    )
