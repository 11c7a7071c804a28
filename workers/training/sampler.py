"""Which images make up a training batch: P identities with K images each."""

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

_IDENTITIES, _IMAGES = 0, 1  # what a random stream is for, so that the two never coincide


class IdentitySampler:
    """P identities × K images (Hermans et al. 2017, arXiv 1703.07737), walked through evenly.

    The batch of a step is a pure function of the seed and the step, so that resuming a run exactly
    needs no state. At any step the visits of two identities differ by at most one.

    With groups, the K images of an identity are spread over as many of its groups as possible:
    group-sensitive sampling (Bai et al. 2018, "Group-Sensitive Triplet Embedding for Vehicle
    Reidentification"), here with groups of background.
    """

    def __init__(
        self,
        labels: NDArray[np.int64],
        groups: NDArray[np.int64] | None,
        identities: int,
        images: int,
        seed: int,
    ) -> None:
        """Index the images by identity.

        Args:
            labels: (n,) the identity of each image.
            groups: (n,) the group of background of each image, or None to ignore it.
            identities: P; where there are fewer identities, all of them make up each batch.
            images: K; an identity that has fewer repeats its images as evenly as possible.
            seed: of every draw; not negative.

        Raises:
            ValueError: no images, groups of another length, P or K below 1, or a negative seed.
        """
        if labels.ndim != 1 or not len(labels):
            raise ValueError(f"labels must be a non-empty vector, not of shape {labels.shape}")
        if groups is not None and groups.shape != labels.shape:
            raise ValueError(f"groups have shape {groups.shape}, labels {labels.shape}")
        if identities < 1 or images < 1:
            raise ValueError(f"a batch of {identities} identities x {images} images is empty")
        if seed < 0:
            raise ValueError(f"the seed must not be negative, not {seed}")
        by_identity = np.argsort(labels, kind="stable")
        starts = np.flatnonzero(np.diff(labels[by_identity])) + 1
        self._members = np.split(by_identity, starts)
        self._groups = np.zeros(len(labels), np.int64) if groups is None else groups
        self._identities = min(identities, len(self._members))
        self._images = images
        self._seed = seed

    def draw(self, step: int) -> NDArray[np.intp]:
        """The images of one step: (P·K,) indices, those of one identity beside each other."""
        cycle, row = divmod(step, len(self._members) // gcd(len(self._members), self._identities))
        chosen = _cycle(self._seed, cycle, len(self._members), self._identities)[row]
        random = np.random.default_rng((self._seed, _IMAGES, step))
        return np.concatenate([self._pick(self._members[i], random) for i in chosen])

    def _pick(self, members: NDArray[np.intp], random: np.random.Generator) -> NDArray[np.intp]:
        """K images of one identity: one of each group, then a second of each, and so on."""
        shuffled = random.permutation(members)
        turns = np.argsort(_ranks(self._groups[shuffled]), kind="stable")
        return np.resize(shuffled[turns], self._images)


def _ranks(groups: NDArray[np.int64]) -> NDArray[np.intp]:
    """How many of the same group stand before each element."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    ranks = np.empty(len(groups), np.intp)
    ranks[order] = np.arange(len(groups)) - np.searchsorted(ordered, ordered)
    return ranks


@lru_cache(maxsize=4)
def _cycle(seed: int, number: int, count: int, size: int) -> NDArray[np.intp]:
    """The batches of one cycle, the shortest run of steps that visits all identities equally often.

    Permutations are laid end to end and cut into batches. Where a batch spans two of them, the
    second first brings identities that the first has not put into that batch.

    Returns:
        (steps, size) identities, each row without repetition.
    """
    random = np.random.default_rng((seed, _IDENTITIES, number))
    epochs: list[NDArray[np.intp]] = []
    for epoch in range(size // gcd(count, size)):
        order = random.permutation(count)
        begun = epoch * count % size  # identities that the batch across the border has already
        if begun:
            fresh = np.flatnonzero(~np.isin(order, epochs[-1][-begun:]))[: size - begun]
            order = np.concatenate((order[fresh], np.delete(order, fresh)))
        epochs.append(order)
    return np.concatenate(epochs).reshape(-1, size)
