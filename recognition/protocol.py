"""The open-set protocol: who is trained on, who is enrolled, and who comes to be recognised."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]

MIXED = "mixed"
"""The scenario in which the gallery holds whatever conditions come."""

# Of the identities; the others are tested. As in the splits of DESIGN §9.
TRAINED, CALIBRATED = 0.4, 0.2
KNOWN = 0.7  # of the identities of a trial


class Part(StrEnum):
    """What the images of an identity may be used for; no identity is in two parts."""

    TRAIN = "train"
    CALIBRATE = "calibrate"
    TEST = "test"


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One gallery and the probes that are looked up in it, as indices of images.

    A probe is *known* when its label is among those of the gallery.
    """

    gallery: Indices
    probes: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One division of the identities; ``trials`` by (scenario, calibrate | test)."""

    number: int
    train: Indices
    trials: Mapping[tuple[str, Part], Trial]

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that are tested, by name."""
        return tuple(sorted({name for name, part in self.trials if part is Part.TEST}))

    def images(self, *parts: Part) -> Indices:
        """Return the images in the trials of these parts, each once, in ascending order."""
        trials = [trial for (_, part), trial in self.trials.items() if part in parts]
        used = [indices for trial in trials for indices in (trial.gallery, trial.probes)]
        return np.unique(np.concatenate(used)) if used else np.empty(0, np.intp)


def make_splits(
    labels: Sequence[str],
    sessions: Sequence[str],
    *,
    count: int = 5,
    seed: int = 0,
    shots: int = 5,
) -> list[Split]:
    """Divide the identities anew ``count`` times: 40 % train, 20 % calibrate, 40 % test.

    Of the identities of a trial 70 % are enrolled, with up to ``shots`` images each, the others
    are unknown. Images of one identity and session are near-duplicates: they never lie both in the
    gallery and among the probes. So an identity of one session can only be unknown.

    Args:
        sessions: when each image was taken, as a name; empty where that is not known, which makes
            the image a session of its own.
        shots: the most images that an identity has in a gallery.

    Raises:
        ValueError: the lengths differ, or the identities are too few for a calibrate and a test
            part that each have a known and an unknown one; ten of two sessions are enough.
    """
    if len(labels) != len(sessions):
        raise ValueError(f"{len(labels)} labels, but {len(sessions)} sessions")
    if count < 1 or shots < 1:
        raise ValueError(f"count and shots must be at least 1, got {count} and {shots}")
    images = sessions_of(labels, sessions)
    return [
        _split(number, images, shots, np.random.default_rng([seed, number]))
        for number in range(count)
    ]


def sessions_of(labels: Sequence[str], sessions: Sequence[str]) -> dict[str, list[Indices]]:
    """Return the images of each identity, session by session, as indices."""
    by_label: dict[str, dict[tuple[str, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (label, session) in enumerate(zip(labels, sessions, strict=True)):
        by_label[label][session, -1 if session else index].append(index)
    return {
        label: [np.array(images, dtype=np.intp) for images in own.values()]
        for label, own in sorted(by_label.items())
    }


def random_trial(
    images: Mapping[str, Sequence[Indices]],
    known: float,
    shots: int,
    rng: np.random.Generator,
    strangeness: NDArray[np.float64] | None = None,
) -> Trial:
    """Enrol a random share ``known`` of the identities; all the others are unknown.

    Of an identity, sessions in random order go to the gallery until they hold ``shots`` images, at
    most half of them. What the gallery does not need of them is left out.

    Args:
        images: the images of each identity, session by session, as :func:`sessions_of` gives them.
        shots: the most images that an identity has in the gallery.
        strangeness: (n,) of each image, where those of the least are to be enrolled: the gallery
            then holds one condition, and the probes come under others. None enrols at random.

    Raises:
        ValueError: there are not two identities, one of them of two sessions.
    """
    able = [label for label, own in images.items() if len(own) > 1]
    count = min(round(known * len(images)), len(able), len(images) - 1)
    if count < 1:
        raise ValueError(
            f"{len(images)} identities, {len(able)} of them of two sessions or more: one of the "
            "latter must be known, and another identity unknown"
        )
    enrolled = {able[i] for i in rng.permutation(len(able))[:count]}
    gallery: list[Indices] = []
    probes: list[Indices] = []
    for label, own in images.items():
        if label in enrolled:
            first, rest = _enrol(own, shots, rng, strangeness)
            gallery.append(first)
            probes.append(rest)
        else:
            probes += own
    return Trial(_joined(gallery), _joined(probes))


def _split(
    number: int, images: Mapping[str, Sequence[Indices]], shots: int, rng: np.random.Generator
) -> Split:
    parts: dict[Part, list[str]] = {part: [] for part in Part}
    # Those that can be known and those that cannot: each group in the same proportions.
    for again in (True, False):
        group = [label for label, own in images.items() if (len(own) > 1) is again]
        shuffled = [group[i] for i in rng.permutation(len(group))]
        first = round(TRAINED * len(group))
        second = round((TRAINED + CALIBRATED) * len(group))
        parts[Part.TRAIN] += shuffled[:first]
        parts[Part.CALIBRATE] += shuffled[first:second]
        parts[Part.TEST] += shuffled[second:]
    trained = [session for label in parts[Part.TRAIN] for session in images[label]]
    trials = {
        (MIXED, part): random_trial(
            {label: images[label] for label in parts[part]}, KNOWN, shots, rng
        )
        for part in (Part.CALIBRATE, Part.TEST)
    }
    return Split(number, _joined(trained), MappingProxyType(trials))


def _enrol(
    sessions: Sequence[Indices],
    shots: int,
    rng: np.random.Generator,
    strangeness: NDArray[np.float64] | None = None,
) -> tuple[Indices, Indices]:
    """Divide the images of one identity of two sessions and more: gallery and probes."""
    order = rng.permutation(len(sessions))
    if strangeness is not None:
        means = np.array([strangeness[sessions[i]].mean() for i in order])
        order = order[np.argsort(means, kind="stable")]  # ties stay in random order
    sizes = np.cumsum([len(sessions[i]) for i in order])
    taken = min(int(np.searchsorted(sizes, shots)) + 1, len(sessions) // 2)
    enrolled = np.concatenate([sessions[i] for i in order[:taken]])
    probes = np.concatenate([sessions[i] for i in order[taken:]])
    return rng.permutation(enrolled)[:shots], probes


def _joined(indices: Sequence[Indices]) -> Indices:
    return np.sort(np.concatenate([np.empty(0, dtype=np.intp), *indices]))
