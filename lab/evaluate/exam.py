"""Evaluates each model variant on every split and collects its scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.evaluate.measures import Measures, at_thresholds, measure
from lab.evaluate.scored import Scored, Thresholds, nearest_other, score, thresholds_of
from recognition.bootstrap import IdentityDraws
from recognition.distance import FloatArray
from recognition.paper_distances import Distance, fit_distance
from recognition.protocol import Indices, Part, Split, Trial
from recognition.value_groups import Groups
from schemas.errors import SetupError

FPIRS = (0.001, 0.01, 0.05)
DRAWS = 1000


@dataclass(frozen=True, slots=True)
class ModelVariant:
    """Embeddings with the distance that compares them.

    ``embeddings`` gives, for a split, those of all images (n, d), float32; a row of NaN where an
    image has none, which leaves it out.
    """

    name: str
    embeddings: Callable[[Split], FloatArray]
    distance: Distance = Distance.COSINE


@dataclass(frozen=True, slots=True, eq=False)
class TrialResult:
    """One trial of one variant: its scores, the thresholds, and the measures there.

    ``groups`` holds the measures and the scores by variable and value.
    """

    gallery: int
    scored: Scored
    thresholds: Thresholds
    measures: Measures
    groups: Mapping[str, Mapping[str, tuple[Scored, Measures]]]


@dataclass(frozen=True, slots=True, eq=False)
class VariantResult:
    """The trials of one variant by scenario and split."""

    variant: ModelVariant
    trials: Mapping[str, Mapping[int, TrialResult]]


class Exam:
    """The same splits, breakdown and draws of identities for every variant.

    Args:
        labels: (n,) the identity of each image; None where it has none and is in no split.
        fpirs: the shares of unknown probes that may be accepted.

    Raises:
        SetupError: no split has a test part.
    """

    def __init__(
        self,
        labels: Sequence[str | None],
        splits: Sequence[Split],
        *,
        by: Mapping[str, Groups] | None = None,
        fpirs: Sequence[float] = FPIRS,
        draws: int = DRAWS,
    ) -> None:
        self.splits = tuple(splits)
        self.fpirs = tuple(sorted(set(fpirs)))
        self._labels = np.array(["" if label is None else label for label in labels], dtype=np.str_)
        self.by = {} if by is None else by
        probes = [
            split.trials[name, Part.TEST].probes for split in splits for name in split.scenarios
        ]
        if not probes:
            raise SetupError("the splits have no test part")
        self._draws = IdentityDraws(self._labels[np.concatenate(probes)].tolist(), draws=draws)

    @property
    def draws(self) -> int:
        """The number of bootstrap draws."""
        return len(self._draws)

    def assess(
        self, variant: ModelVariant, on_split: Callable[[], None] = lambda: None
    ) -> VariantResult:
        """Evaluate a variant; ``on_split`` is called when a split is done.

        Raises:
            SetupError: the distance cannot compare these embeddings, or all images of a gallery
                or all probes are without one.
        """
        trials: dict[str, dict[int, TrialResult]] = {}
        for split in self.splits:
            try:
                for scenario, tested in self._split(variant, split):
                    trials.setdefault(scenario, {})[split.number] = tested
            except ValueError as error:
                raise SetupError(f"{variant.name}, split {split.number}: {error}") from error
            on_split()
        return VariantResult(variant, trials)

    def _split(self, variant: ModelVariant, split: Split) -> Iterator[tuple[str, TrialResult]]:
        embeddings = variant.embeddings(split)
        usable = np.asarray(np.isfinite(embeddings).all(axis=1))
        compare = fit_distance(variant.distance, embeddings[_only(split.train, usable)])
        for scenario in split.scenarios:
            parts = {
                part: _usable(trial, usable)
                for (name, part), trial in split.trials.items()
                if name == scenario
            }
            scored = {
                part: score(compare, embeddings, self._labels, trial)
                for part, trial in parts.items()
            }
            gallery = parts[Part.TEST].gallery
            impostors = nearest_other(compare, embeddings[gallery], self._labels[gallery])
            test = scored[Part.TEST]
            thresholds = thresholds_of(test, scored.get(Part.CALIBRATE), impostors, self.fpirs)
            yield (
                scenario,
                TrialResult(
                    gallery=len(gallery),
                    scored=test,
                    thresholds=thresholds,
                    measures=measure(test, thresholds, self._draws),
                    groups={
                        name: self._groups(test, thresholds, grouping)
                        for name, grouping in self.by.items()
                    },
                ),
            )

    def _groups(
        self, scored: Scored, thresholds: Thresholds, grouping: Groups
    ) -> dict[str, tuple[Scored, Measures]]:
        codes = grouping.codes[scored.rows]
        groups = {}
        for code, value in enumerate(grouping.names):
            if (codes == code).any():
                subset = scored.take(codes == code)
                groups[value] = subset, at_thresholds(subset, thresholds, self._draws)
        return groups


def _usable(trial: Trial, usable: NDArray[np.bool_]) -> Trial:
    kept = Trial(_only(trial.gallery, usable), _only(trial.probes, usable))
    if kept.gallery.size == 0 or kept.probes.size == 0:
        raise ValueError(
            f"of {len(trial.gallery)} gallery images and {len(trial.probes)} probes only "
            f"{len(kept.gallery)} and {len(kept.probes)} have an embedding"
        )
    return kept


def _only(images: Indices, usable: NDArray[np.bool_]) -> Indices:
    kept: Indices = images[usable[images]]
    return kept
