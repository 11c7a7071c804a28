"""Many small trials on one part: for choosing, where one trial would be a lottery."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray, distances
from recognition.evaluation import Labels, identify, tpir_at_fpir
from recognition.protocol import Trial, random_trial, sessions_of

IDENTITIES_KNOWN = 0.6
"""Of the identities in one trial."""


def draw_trials(
    labels: Sequence[str],
    sessions: Sequence[str] | None = None,
    *,
    shots: int = 3,
    draws: int = 40,
    seed: int = 0,
    apart: NDArray[np.float64] | None = None,
) -> list[Trial]:
    """Enrol 60 % of the identities anew, ``draws`` times; all the others are unknown.

    The same seed draws the same trials whatever the embeddings are, so that two ways to compare
    can be compared.

    Args:
        sessions: of each image, as in :func:`~recognition.protocol.make_splits`; no session is
            both enrolled and looked up. None makes each image a session of its own.
        shots: the most images of an identity in a gallery.
        apart: (n, n), how different the backgrounds of two images are. Where given, each trial
            draws an image and enrols those whose background is most like that one's: the gallery
            holds one condition, and the probes come under others.

    Raises:
        ValueError: the lengths differ, ``draws`` is below 1, or there are not two identities, one
            of two sessions.
    """
    if draws < 1:
        raise ValueError(f"expected at least one draw, got {draws}")
    given = [""] * len(labels) if sessions is None else sessions
    images = sessions_of(labels, given)
    rng = np.random.default_rng(seed)
    trials = []
    for _ in range(draws):
        strangeness = None if apart is None else apart[rng.integers(len(labels))]
        trials.append(random_trial(images, IDENTITIES_KNOWN, shots, rng, strangeness))
    return trials


def tpirs(
    matrix: FloatArray, labels: Sequence[str], trials: Sequence[Trial], fpir: float
) -> NDArray[np.float64]:
    """Return the TPIR of each trial at an FPIR that is met on the trial itself.

    ``matrix`` (n, n) holds the distance of every image to every other, those probed in rows.
    """
    everyone = np.asarray(labels, dtype=np.str_)
    near = (matrix[np.ix_(trial.probes, trial.gallery)] for trial in trials)
    scores = [tpir_of(*pair, everyone, fpir) for pair in zip(near, trials, strict=True)]
    return np.array(scores, dtype=np.float64)


def tpir_of(near: FloatArray, trial: Trial, labels: Labels, fpir: float) -> float:
    """Return the TPIR of one trial by the distances ``near`` (p, g) of its probes to its gallery.

    ``labels`` (n,) are those of all images; the FPIR is met on the trial itself.
    """
    identified = identify(near, labels[trial.gallery], labels[trial.probes])
    return tpir_at_fpir(identified, fpir).tpir


def resampled_tpir(
    embeddings: FloatArray,
    labels: Sequence[str],
    *,
    fpir: float = 0.05,
    shots: int = 3,
    draws: int = 40,
    seed: int = 0,
    sessions: Sequence[str] | None = None,
) -> float:
    """Return the mean :func:`tpirs` over :func:`draw_trials` of embeddings (n, d) by the cosine."""
    if len(embeddings) != len(labels):
        raise ValueError(
            f"expected one label per embedding, got {len(embeddings)} and {len(labels)}"
        )
    trials = draw_trials(labels, sessions, shots=shots, draws=draws, seed=seed)
    return float(tpirs(distances(embeddings, embeddings), labels, trials, fpir).mean())
